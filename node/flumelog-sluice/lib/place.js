'use strict'
// Where the database of a log is. A file of flumelog-offset in its place is taken over.

const fs = require('fs')
const path = require('path')
const sluice = require('sluice-db')

const shared = new Map() // By directory: { database, users }.
const closing = new Map() // By directory: what resolves when it can be opened again.

/**
 * Opens the database of the log `filename`: the directory of this name. Where there is a file, the
 * database is made beside it (log.offset: log.sluice), and has the file's messages. The file is only
 * read. What another program appends to it later is taken over at the next opening.
 *
 * Logs of one place in one program share the database. Answers with { database, release }: a promise of
 * it, and a function that closes it when nobody else has it, and answers with a promise.
 */
module.exports = function openDatabase (filename, options) {
  const file = path.resolve(filename)
  const directory = directoryOf(file)
  // At once, because views put their own files there.
  fs.mkdirSync(path.dirname(directory), { recursive: true })
  if (!shared.has(directory)) shared.set(directory, share(file, directory, options))
  const entry = shared.get(directory)
  entry.users++
  return { database: entry.database, release: () => release(directory, entry) }
}

function share (file, directory, options) {
  const entry = { users: 0, database: openSoon(file, directory, options) }
  entry.database.catch(() => forget(directory, entry))
  return entry
}

async function openSoon (file, directory, options) {
  await closing.get(directory)
  const database = await sluice.open(directory, options.sluice)
  if (isFile(file)) await takeOver(database, file, options.import)
  return database
}

// Who has opened it again meanwhile has an entry of his own.
function forget (directory, entry) {
  if (shared.get(directory) === entry) shared.delete(directory)
}

function release (directory, entry) {
  if (--entry.users > 0) return Promise.resolve()
  forget(directory, entry)
  const closed = entry.database.then(database => database.close(), () => {})
  closing.set(directory, closed)
  return closed.finally(() => closing.get(directory) === closed && closing.delete(directory))
}

// Once there is a database beside the file it stays in use, also when the file is thrown away.
function directoryOf (file) {
  const beside = file.replace(/\.offset$/, '') + '.sluice'
  return isFile(file) || fs.existsSync(beside) ? beside : file
}

function isFile (name) {
  const stat = fs.statSync(name, { throwIfNoEntry: false })
  return stat !== undefined && stat.isFile()
}

async function takeOver (database, file, options) {
  try {
    // A flumelog may have a message twice, so that none is given a key.
    await database.importFile(file, { format: 'flumelog-offset', keyPointer: '', ...options })
  } catch (error) {
    await database.close()
    throw error
  }
}
