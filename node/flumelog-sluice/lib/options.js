'use strict'
// What flumelog-sluice is called with. The signatures of flumelog-offset are understood too, old and
// new, because programs are given this package in its place.

const { openOptions } = require('sluice-db')

const json = {
  encode: JSON.stringify,
  decode: JSON.parse,
  buffer: false,
  type: 'json'
}

/**
 * From the arguments behind the filename: { codec, key, import, read, sluice: options of sluice-db's open }.
 * `read(value, stored)` may give what is read another form; `stored()` is the message before transforms.
 */
module.exports = function readOptions (args) {
  const options = typeof args[0] === 'object' && !isCodec(args[0]) ? args[0] : { codec: args.find(isCodec) }
  const { codec, key, import: importing, read, ...rest } = options || {}
  // Programs hand flumelog-offset options of their own and of its versions, which it does not look at.
  const known = Object.entries(rest).filter(([name]) => openOptions.includes(name))
  return { codec: codec || json, isJson: isJson(codec), key, import: importing, read, sluice: Object.fromEntries(known) }
}

function isCodec (value) {
  return Boolean(value) && typeof value.encode === 'function' && typeof value.decode === 'function'
}

// Then the database's own reading of a body is the codec's, and needs no second one.
function isJson (codec) {
  return !codec || codec === json || codec.decode === JSON.parse
}
