'use strict'
const { invalid } = require('./errors')

class Message {
  #body
  #value
  #isParsed = false

  constructor (seq, key, state, body, change) {
    this.seq = seq
    this.key = key
    this.state = state
    this.#body = body
    if (change) this.change = change
  }

  get body () { return this.#body }

  get value () {
    if (!this.#isParsed) {
      this.#value = parsed(this.#body)
      this.#isParsed = true
    }
    return this.#value
  }

  toJSON () {
    const { seq, key, state, value, change } = this
    return { seq, key, state, value, change }
  }
}

function parsed (body) {
  try {
    return JSON.parse(body.utf8Slice(0, body.length))
  } catch {
    return undefined // It is not JSON.
  }
}

/** The messages of a batch, as the addon hands it over. */
function messagesOf ({ bytes, ends, seqs, keys, states, changes }) {
  const messages = new Array(seqs.length)
  for (let i = 0; i < seqs.length; i++) {
    const body = bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i])
    messages[i] = new Message(seqs[i], keys ? keys[i] : '', states ? states[i] : 'live', body, changes && changes[i])
  }
  return messages
}

function messageOf (found) {
  return found && new Message(found.seq, found.key, found.state, found.body, found.change)
}

/** What is stored of a value: bytes as they are, anything else as JSON. */
function bodyOf (value) {
  if (value instanceof Uint8Array) return value
  const json = JSON.stringify(value)
  if (json === undefined) throw invalid('a message must be bytes or a value that JSON has')
  return json
}

module.exports = { Message, messagesOf, messageOf, bodyOf }
