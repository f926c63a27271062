'use strict'
// Remembers the keys of the messages that were deleted last, so that who asks for one is told that it was
// deleted, and not that it never was. As hashes: what was deleted is nobody's to keep.

const crypto = require('crypto')

const keysMax = 10000

module.exports = function createGone () {
  const seqs = new Map() // By hash.

  return { add, seqOf: key => seqs.get(hashOf(key)) }

  function add (key, seq) {
    if (seqs.size >= keysMax) seqs.delete(seqs.keys().next().value)
    seqs.set(hashOf(key), seq)
  }
}

function hashOf (key) {
  return crypto.createHash('sha256').update(String(JSON.stringify(key))).digest('base64')
}
