'use strict'
// The packages that Sluice stands in for, and the folders that npm is to take instead. Each is a line
// that requires flumelog-sluice or a part of sluice-flumedb, which are found from where the folder is.

const fs = require('fs')
const path = require('path')

const names = [
  'flumelog-offset', 'flumedb', 'flumeview-level', 'flumeview-reduce', 'flumeview-query', 'flumeview-links'
]

// A manifest with Sluice in it. npm applies an override to the packages below, and refuses one that
// contradicts what the manifest itself asks for: so it asks for the folder, and the override says "the same".
exports.substitute = function substitute (manifest) {
  const folders = {}
  const overrides = { ...manifest.overrides }
  for (const name of names) {
    folders[name] = 'file:' + path.join(__dirname, '..', 'replacements', name)
    overrides[name] = '$' + name
  }
  return {
    ...manifest,
    dependencies: { ...manifest.dependencies, ...folders },
    devDependencies: without(manifest.devDependencies, names),
    overrides
  }
}

// The same where a shrinkwrap decides what npm installs: wherever a package has come to lie, the folder is put.
exports.link = function link (folder) {
  const modules = path.join(folder, 'node_modules')
  for (const entry of fs.readdirSync(modules, { recursive: true })) {
    const place = path.basename(entry)
    const isPackage = ['.', 'node_modules'].includes(path.basename(path.dirname(entry)))
    if (!isPackage || !names.includes(place)) continue
    fs.rmSync(path.join(modules, entry), { recursive: true })
    fs.symlinkSync(path.join(__dirname, '..', 'replacements', place), path.join(modules, entry))
  }
}

function without (object = {}, names) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}
exports.without = without
