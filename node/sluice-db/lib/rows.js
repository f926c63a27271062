'use strict'
const { INT64_MIN, INT64_MAX, keyText } = require('./keys')

const NUMBER_OR_STRING = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|"[^"\\]*(?:\\.[^"\\]*)*"/g

/** The rows of a piece, as the addon hands it over. */
function rowsOf ({ keys, seqs, values }) {
  const parsedKeys = parsedKey(keys)
  const parsedValues = values && JSON.parse(values)
  return parsedKeys.map((key, i) => {
    const row = { key, seq: seqs[i] }
    if (parsedValues) row.value = parsedValues[i]
    return row
  })
}

/** Out of JSON, a key or several. An integer that no number has the digits of is a bigint, as it may have been given. */
function parsedKey (text) {
  const key = JSON.parse(text)
  return hasLargeNumber(key) ? parsedExactly(text) : key
}

function hasLargeNumber (elements) {
  for (const element of elements) {
    if (typeof element === 'number') {
      if (element > Number.MAX_SAFE_INTEGER || element < Number.MIN_SAFE_INTEGER) return true
    } else if (Array.isArray(element) && hasLargeNumber(element)) {
      return true
    }
  }
  return false
}

/** There are no objects in keys: so {"integer": "123"} stands for what JSON.parse() has no number for. */
function parsedExactly (text) {
  const marked = text.replace(NUMBER_OR_STRING, token => isLostInNumber(token) ? `{"integer":"${token}"}` : token)
  return JSON.parse(marked, (name, value) => isMark(value) ? BigInt(value.integer) : value)
}

function isMark (value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether it is an integer of 64 bits, and the number nearest to it another key. */
function isLostInNumber (token) {
  if (!/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token))) return false
  const integer = BigInt(token)
  if (integer <= INT64_MIN || integer > INT64_MAX) return false
  return JSON.stringify(Number(token)) !== token
}

/** Read options as the addon takes them. */
function readOptions ({ exact, prefix, from, to, reverse, limit }) {
  return {
    exact: keyText(exact),
    prefix: keyText(prefix),
    from: keyText(from),
    to: keyText(to),
    reverse: !!reverse,
    limit: finite(limit)
  }
}

/** A limit as the addon takes it: none where it is infinite. */
function finite (limit) {
  return limit === Infinity ? undefined : limit
}

module.exports = { rowsOf, parsedKey, readOptions, finite }
