'use strict'
// The packages that Sluice stands in for, and the folders that npm is to take instead. Each is a line
// that requires flumelog-sluice or a part of sluice-flumedb, which are found from where the folder is.

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

function without (object = {}, names) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}
exports.without = without
