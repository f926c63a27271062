'use strict'
// Keys as the addon takes them: JSON. In what functions emit, a number that JSON.stringify() has none for, or
// writes as an integer of more than 64 bits, is {"number":"123"}.
const { invalid } = require('./errors')

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const DEPTH_MAX = 127 // With the array that is the key, as deep as JSON may be in the library.

/** What JSON says of an element; throws for what is no element of a key. */
function elementText (element) {
  switch (typeof element) {
    case 'string': return JSON.stringify(element)
    case 'boolean': return String(element)
    case 'number':
      if (Number.isFinite(element)) return JSON.stringify(element)
      break
    case 'bigint':
      if (element >= INT64_MIN && element <= INT64_MAX) return String(element)
      break
    case 'object':
      if (element === null) return 'null'
      if (Array.isArray(element)) return '[' + Array.from(element, elementText).join(',') + ']'
  }
  throw invalid('an element of a key must be null, a boolean, a finite number, a 64-bit integer, a string or an array')
}

/** A key as text; undefined stays undefined. */
function keyText (key) {
  if (key === undefined) return undefined
  if (!Array.isArray(key)) throw invalid('a key must be an array of its elements')
  return elementText(key)
}

/** A key of one element. */
function nodeText (element) {
  return element === undefined ? undefined : elementText([element])
}

/** Checks a key that is emitted, and answers with a copy that JSON.stringify() makes the right text of. */
function emitted (key) {
  if (!Array.isArray(key)) throw invalid('a key must be an array of its elements')
  const copy = [...key] // The function may go on with its own.
  for (let i = 0; i < copy.length; i++) {
    const element = copy[i]
    const isPlain = typeof element === 'string'
      ? isWellFormed(element)
      : typeof element === 'boolean' || isPlainNumber(element)
    if (!isPlain) return copy.map(element => emittedElement(element, 1))
  }
  return copy
}

// One message must not make what is answered for all messages of its batch unreadable: so nothing is let through
// that a parser may refuse.

function emittedElement (element, depth) {
  if (Array.isArray(element)) {
    if (depth > DEPTH_MAX) throw invalid(`an element of an emitted key must not be deeper than ${DEPTH_MAX} arrays`)
    return Array.from(element, inner => emittedElement(inner, depth + 1))
  }
  if (typeof element === 'string') return emittedString(element)
  elementText(element)
  if (typeof element === 'bigint') return { number: String(element) }
  return typeof element === 'number' ? emittedNumber(element) : element
}

function emittedString (text) {
  if (!isWellFormed(text)) throw invalid('an emitted string must be Unicode, without halves of surrogate pairs')
  return text
}

/** Of a finite one. */
function emittedNumber (number) {
  return isPlainNumber(number) ? number : { number: number.toExponential() }
}

/** Of what JSON.stringify() writes as an integer, one of 64 bits, with a sign or without. */
function isPlainNumber (number) {
  return typeof number === 'number' && number > -(2 ** 63) && number < 2 ** 64
}

/** Whether it has no halves of surrogate pairs. */
function isWellFormed (text) {
  return !/\p{Surrogate}/u.test(text)
}

module.exports = {
  INT64_MIN, INT64_MAX, keyText, nodeText, emitted, emittedString, emittedNumber, isWellFormed
}
