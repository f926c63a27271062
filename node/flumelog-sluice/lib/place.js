'use strict'
// Where the database of a log is. A file of flumelog-offset in its place is taken over.

const fs = require('fs')
const path = require('path')
const sluice = require('sluice-db')

/**
 * Opens the database of the log `filename`: the directory of this name. Where there is a file, the
 * database is made beside it (log.offset: log.sluice), and has the file's messages. The file is only
 * read. What another program appends to it later is taken over at the next opening.
 */
module.exports = async function openDatabase (filename, options) {
  const file = path.resolve(filename)
  const directory = directoryOf(file)
  await fs.promises.mkdir(path.dirname(directory), { recursive: true })
  const database = await sluice.open(directory, options.sluice)
  if (isFile(file)) await takeOver(database, file, options.import)
  return database
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
