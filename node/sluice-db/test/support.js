'use strict'
const fs = require('fs')
const os = require('os')
const path = require('path')
const { open } = require('..')

/** A directory of its own for a test, gone when it ends. */
function folder (t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-'))
  t.after(() => fs.rmSync(made, { recursive: true, force: true }))
  return made
}

/** A new database for a test, closed when it ends. */
async function database (t, options = { durability: 'none' }) {
  const db = await open(path.join(folder(t), 'db'), options)
  t.after(() => db.close())
  return db
}

async function collect (iterable) {
  const all = []
  for await (const each of iterable) all.push(each)
  return all
}

/** Whether a file below a directory has these bytes. */
function isInFiles (directory, needle) {
  return fs.readdirSync(directory, { recursive: true, withFileTypes: true }).some(entry =>
    entry.isFile() && fs.readFileSync(path.join(entry.path, entry.name)).includes(needle))
}

module.exports = { folder, database, collect, isInFiles }
