'use strict'
// Puts our packages in the place of those that a published test is of. What is replaced is said in the
// variable REPLACE: pairs "flumedb=sluice-flumedb", separated by commas. Nothing else of the tests is changed.

const Module = require('module')
const path = require('path')

const replaced = new Map((process.env.REPLACE || '').split(',').filter(Boolean).map(pair => {
  const [module, ours] = pair.split('=')
  return [resolve(module), resolve(ours)]
}))

function resolve (name) {
  const here = path.resolve(__dirname, name)
  return require.resolve(name.startsWith('.') ? here : name, { paths: [__dirname] })
}

const resolveFilename = Module._resolveFilename
Module._resolveFilename = function (request, parent, ...rest) {
  const found = withoutCopies(resolveFilename.call(this, request, parent, ...rest))
  const isOurs = parent && parent.filename && !parent.filename.includes('node_modules')
  return (!isOurs && replaced.get(found)) || found
}

// A package that has a replacement may lie in node_modules twice.
function withoutCopies (file) {
  const inner = file.lastIndexOf('/node_modules/')
  const outer = file.indexOf('/node_modules/')
  const top = file.slice(0, outer) + file.slice(inner)
  return inner !== outer && replaced.has(top) ? top : file
}
