'use strict'
const { invalid } = require('./errors')

/**
 * A message or another entry. Its content is a text, or a part of a Buffer that it shares with others; body and
 * value are made of it when they are asked for.
 */
class Message {
  #content
  #begin
  #end
  #value
  #isParsed = false

  constructor (seq, key, state, content, begin = 0, end = content.length, change = undefined) {
    this.seq = seq
    this.key = key
    this.state = state
    this.#content = content
    this.#begin = begin
    this.#end = end
    if (change) this.change = change
  }

  get body () {
    const content = this.#content
    return typeof content === 'string' ? Buffer.from(content) : content.subarray(this.#begin, this.#end)
  }

  get value () {
    if (!this.#isParsed) {
      try {
        const content = this.#content
        this.#value = JSON.parse(typeof content === 'string' ? content : content.utf8Slice(this.#begin, this.#end))
      } catch {} // It is not JSON.
      this.#isParsed = true
    }
    return this.#value
  }

  toJSON () {
    const { seq, key, state, value, change } = this
    return { seq, key, state, value, change }
  }
}

/** The messages of a batch, as the addon hands it over. */
function messagesOf ({ bytes, ends, seqs, keys, states, changes }) {
  const messages = new Array(seqs.length)
  let begin = 0
  for (let i = 0; i < seqs.length; i++) {
    const end = ends[i]
    messages[i] = new Message(seqs[i], keys ? keys[i] : '', states ? states[i] : 'live', bytes, begin, end,
      changes && changes[i])
    begin = end
  }
  return messages
}

/** One message, as the addon hands it over: in an array, because objects take it longer to make. */
function messageOf (found) {
  if (!found) return undefined
  const [seq, content, key = '', state = 'live', change] = found
  return new Message(seq, key, state, content, 0, content.length, change)
}

/** What is stored of a value: bytes as they are, anything else as JSON. */
function bodyOf (value) {
  if (value instanceof Uint8Array) return value
  const json = JSON.stringify(value)
  if (json === undefined) throw invalid('a message must be bytes or a value that JSON has')
  return json
}

module.exports = { Message, messagesOf, messageOf, bodyOf }
