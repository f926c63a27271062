'use strict'
// Paths into messages and queries, as indexes of queries and links name what they hold: a member's name,
// or an array of names, one inside the other.

const { isDeepStrictEqual } = require('util')

exports.has = function has (path, object) {
  const names = namesOf(path)
  const holder = follow(names.slice(0, -1), object)
  return isHolder(holder) && Object.hasOwn(holder, names[names.length - 1])
}

exports.get = function get (path, object) {
  return follow(namesOf(path), object)
}

exports.set = function set (path, value, object) {
  const names = namesOf(path)
  let holder = object
  for (const name of names.slice(0, -1)) holder = holder[name] = holder[name] || {}
  holder[names[names.length - 1]] = value
}

exports.equal = function equal (paths, others) {
  return isDeepStrictEqual(paths, others)
}

function namesOf (path) {
  return typeof path === 'string' ? [path] : path
}

function follow (names, object) {
  let found = object
  for (const name of names) found = isHolder(found) && Object.hasOwn(found, name) ? found[name] : undefined
  return found
}

function isHolder (value) {
  return typeof value === 'object' && value !== null
}
