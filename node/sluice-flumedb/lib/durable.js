'use strict'
// A view of FlumeDB's writes files of its own, and waits for no disk.

const fs = require('fs/promises')
const path = require('path')

/**
 * Waits until what view `name` has written in `folder` is on the disk: views call their files, or the folder
 * that has them, by their name and an ending.
 */
exports.syncFiles = async function syncFiles (folder, name) {
  for (const file of await fs.readdir(folder)) {
    if (file.startsWith(name)) await syncWhole(path.join(folder, file))
  }
  await sync(folder)
}

async function syncWhole (place) {
  try {
    const isFolder = (await fs.stat(place)).isDirectory()
    if (isFolder) for (const file of await fs.readdir(place)) await syncWhole(path.join(place, file))
    await sync(place)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error // It was removed meanwhile, which is written in its folder.
  }
}

/** Waits until the file is on the disk, or the names that the folder has. */
exports.sync = sync

async function sync (place) {
  const handle = await fs.open(place)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
