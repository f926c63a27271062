'use strict'
// Keys of flumeviews in a database. A flumeview has a key of any kind: null, a boolean, a number, a
// string, or an array of such. The database's keys are arrays of elements. So that their order is the
// same, and that what begins with the same elements lies together, ['a', 1] is kept as [[], 'a', 1], and
// 'a' as ['a']: a first element that is an array sorts behind all others.
//
// undefined sorts behind everything, and serves as the end of ranges, as in charwise; it is no key. Nor
// is what JSON would not have in a key: an object, NaN, an infinite number, and an array with one inside.

/** Behind all that is a flumeview's: the row of a message whose own rows are not known yet. */
const unknown = [[null]]
exports.unknown = unknown

exports.isKey = function isKey (key) {
  if (Array.isArray(key)) return key.every(isKey)
  if (typeof key === 'number') return Number.isFinite(key)
  return key === null || typeof key === 'boolean' || typeof key === 'string'
}

exports.toRow = function toRow (key) {
  return Array.isArray(key) ? [[], ...key] : [key]
}

exports.fromRow = function fromRow (row) {
  return Array.isArray(row[0]) ? row.slice(1) : row[0]
}

/** Read options of a view in the database for the bounds of a flumeview: gt, gte, lt, lte. */
exports.rangeOf = function rangeOf (opts) {
  const range = { to: unknown }
  if (isBound(opts, 'gte')) range.from = before(opts.gte)
  else if (isBound(opts, 'gt')) range.from = behind(opts.gt)
  if (isBound(opts, 'lte')) range.to = behind(opts.lte) || unknown
  else if (isBound(opts, 'lt')) range.to = before(opts.lt)
  return range
}

/** Whether such a range has the key. */
exports.isWithin = function isWithin (range, key) {
  const row = exports.toRow(key)
  return (!range.from || compare(row, range.from) >= 0) && compare(row, range.to) < 0
}

function isBound (opts, name) {
  return opts[name] !== undefined
}

// The first place that the key itself could have.
function before (key) {
  if (!Array.isArray(key)) return [key]
  return inArrays(key.some(hasUndefined) ? behindUndefined(key) : key)
}

// The first place behind the key itself.
function behind (key) {
  if (!Array.isArray(key)) return [key, null]
  return inArrays(key.some(hasUndefined) ? behindUndefined(key) : [...key, null])
}

function inArrays (elements) {
  return elements && [[], ...elements]
}

function hasUndefined (element) {
  return element === undefined || (Array.isArray(element) && element.some(hasUndefined))
}

// The first place behind all that begins with what stands before the first undefined; undefined if there
// is no such place.
function behindUndefined (elements) {
  const at = elements.findIndex(hasUndefined)
  const inside = elements[at] && behindUndefined(elements[at])
  return inside ? [...elements.slice(0, at), inside] : behindAll(elements.slice(0, at))
}

function behindAll (elements) {
  if (elements.length === 0) return undefined
  return [...elements.slice(0, -1), successor(elements[elements.length - 1])]
}

function successor (element) {
  if (element === null) return false
  if (element === false) return true
  if (element === true) return -Number.MAX_VALUE
  if (typeof element === 'number') return nextNumber(element)
  if (typeof element === 'string') return element + '\0'
  return [...element, null]
}

function nextNumber (number) {
  if (number === Number.MAX_VALUE) return ''
  if (number === 0) return Number.MIN_VALUE
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, number)
  view.setBigInt64(0, view.getBigInt64(0) + (number > 0 ? 1n : -1n))
  return view.getFloat64(0)
}

/** As the database orders keys: element by element, the shorter first. */
function compare (a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareElements(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}
exports.compare = compare

function compareElements (a, b) {
  const kind = kindOf(a) - kindOf(b)
  if (kind !== 0 || a === b) return kind
  if (Array.isArray(a)) return compare(a, b)
  // By their UTF-8, which is another order than that of UTF-16.
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}

function kindOf (element) {
  if (element === null) return 0
  if (typeof element === 'boolean') return element ? 2 : 1
  if (typeof element === 'number') return 3
  return typeof element === 'string' ? 4 : 5
}
