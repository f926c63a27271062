'use strict'
const { inspect } = require('util')
const { invalid } = require('./errors')

const REPLACEMENT = '\ufffd' // What decoding puts in the place of bytes that are none of UTF-8.

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
        this.#value = JSON.parse(this.#text())
      } catch {} // It is not JSON.
      this.#isParsed = true
    }
    return this.#value
  }

  /** Undefined where the bytes are no UTF-8: then they are not what the text that is made of them says. */
  #text () {
    const content = this.#content
    if (typeof content === 'string') return content
    const text = content.utf8Slice(this.#begin, this.#end)
    return text.includes(REPLACEMENT) && !Buffer.from(text).equals(this.body) ? undefined : text
  }

  toJSON () {
    const { seq, key, state, value, change } = this
    return { seq, key, state, value, change }
  }

  /** As console.log() shows it: with its value, or the length of what is no JSON. */
  [inspect.custom] (depth, options, inspectOther) {
    const { seq, key, state, value, change } = this
    const shown = { seq, ...(key !== '' && { key }), state, ...(change && { change }) }
    if (value !== undefined) shown.value = value
    else if (state === 'live') shown.bytes = this.body.length
    return 'Message ' + inspectOther(shown, options)
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
function bodyOf (value, what = 'a message') {
  return value instanceof Uint8Array ? value : jsonOf(value, `${what} must be bytes or a value that JSON has`)
}

/** What JSON.stringify() throws has names of members in it, and is no error of ours: nothing of it is told. */
function jsonOf (value, sentence) {
  let json
  try {
    json = JSON.stringify(value)
  } catch {} // It has circles, bigints, or a toJSON() that throws.
  if (json === undefined) throw invalid(sentence)
  return json
}

module.exports = { Message, messagesOf, messageOf, jsonOf, bodyOf }
