'use strict'
// Map functions: called with the messages of a batch, one after the other, on this thread.
const { functions } = require('./native')
const { emitted } = require('./keys')
const { invalid } = require('./errors')

/** A message of a batch. What is not asked for is not made. */
class Mapped {
  #batch
  #index
  #value
  #isParsed = false

  constructor (batch, index) {
    this.#batch = batch
    this.#index = index
    this.seq = batch.seqs[index]
  }

  get key () { return this.#batch.keys ? this.#batch.keys[this.#index] : '' }
  get body () { return this.#batch.bytes.subarray(this.#begin, this.#end) }

  get value () {
    if (!this.#isParsed) {
      try {
        this.#value = JSON.parse(this.#batch.bytes.utf8Slice(this.#begin, this.#end))
      } catch {} // It is not JSON.
      this.#isParsed = true
    }
    return this.#value
  }

  get #begin () { return this.#index === 0 ? 0 : this.#batch.ends[this.#index - 1] }
  get #end () { return this.#batch.ends[this.#index] }
}

function emittedValue (value) {
  const type = typeof value
  const fits = value === null || type === 'boolean' || type === 'string' || Number.isFinite(value)
  if (!fits) throw invalid('an emitted value must be null, a boolean, a finite number or a string')
  return value
}

/** Registers a map function and answers with its number. */
function addFunction (map, onError) {
  return functions.add(batch => {
    const all = new Array(batch.seqs.length)
    let rows
    const emit = (key, value) => {
      rows.push(value === undefined ? [emitted(key)] : [emitted(key), emittedValue(value)])
    }
    for (let i = 0; i < all.length; i++) {
      rows = []
      const message = new Mapped(batch, i)
      try {
        map(message, emit)
        all[i] = rows
      } catch (error) {
        all[i] = null
        if (onError) onError(error, message)
      }
    }
    return JSON.stringify(all)
  })
}

module.exports = { addFunction }
