'use strict'
// What a program hands over. What is wrong with it is named before anything is done: a slip of the pen must not
// select more than was meant, and must not come back as an error of somebody else's.
const { isWellFormed } = require('./keys')
const { invalid } = require('./errors')

const SELECTORS = 'which messages: a seq, an array of seqs, {keys}, {view, prefix} or {where}'

function isObject (value) {
  return typeof value === 'object' && value !== null
}

/** Options; none where there are none. With `known`, no others than these of `call`. */
function optionsOf (options = {}, call, known) {
  if (!isObject(options)) throw invalid('options must be an object')
  if (known) refuseUnknown(options, known, name => `${call} has no option ${name}`)
  return options
}

function refuseUnknown (object, known, sentence) {
  const unknown = Object.keys(object).find(name => !known.includes(name))
  if (unknown !== undefined) throw invalid(sentence(unknown))
}

/** One of some words; undefined is none. */
function wordOf (name, word, words) {
  if (word === undefined || words.includes(word)) return word
  throw invalid(`${name} must be ${words.slice(0, -1).map(quoted).join(', ')} or ${quoted(words[words.length - 1])}`)
}

function quoted (word) { return `'${word}'` }

function stringOf (name, value) {
  if (typeof value !== 'string') throw invalid(`${name} must be a string`)
  return value
}

function nameOf (what, value) {
  if (typeof value !== 'string' || value === '') throw invalid(`${what} must be a string that is not empty`)
  return value
}

/** An application key; '' where there is none. Of halves of surrogate pairs UTF-8 makes one and the same. */
function applicationKeyOf (key = '') {
  if (typeof key !== 'string') throw invalid('an application key must be a string')
  if (!isWellFormed(key)) throw invalid('an application key must be Unicode, without halves of surrogate pairs')
  return key
}

/** What a message is named by: its seq or its key. */
function messageNameOf (which) {
  if (typeof which === 'string') return applicationKeyOf(which)
  if (typeof which !== 'number') throw invalid('a message is named by its seq or by its application key')
  return which
}

function messageListOf (messages) {
  const isList = Array.isArray(messages) && messages.every(message => isObject(message) && 'value' in message)
  if (!isList) throw invalid('messages must be an array of {value, key}')
  return messages
}

/** Also one of another making than Node's. */
function signalOf (signal) {
  if (signal === undefined) return undefined
  const isSignal = isObject(signal) && typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function'
  if (!isSignal) throw invalid('signal must be an AbortSignal, such as the signal of an AbortController')
  return signal
}

/**
 * Options in which none of these members is there and undefined: the rows of a key that is missing would be all rows.
 * Ends of a range may be: it has none there.
 */
function boundsOf (options, names = ['exact', 'prefix']) {
  for (const name of names) {
    if (name in options && options[name] === undefined) throw invalid(`${name} is undefined: leave it out for all`)
  }
  return options
}

/**
 * A selector in one form, {seqs} for a number or an array. Nothing that is in it is ignored: what is destroyed has
 * to be what was named.
 */
function selectorOf (which) {
  if (typeof which === 'number') return { seqs: [which] }
  if (Array.isArray(which)) return { seqs: which }
  if (!isObject(which)) throw invalid(SELECTORS)
  refuseUnknown(which, ['keys', 'view', 'prefix', 'where'], name => `a selector has no member ${name}; ${SELECTORS}`)
  const { keys, view, prefix, where } = which
  switch (Object.keys(which).sort().join()) {
    case 'keys':
      if (!Array.isArray(keys)) throw invalid('keys must be an array of application keys')
      return { keys: keys.map(key => applicationKeyOf(stringOf('an application key', key))) }
    case 'prefix,view':
      boundsOf(which, ['prefix'])
      return { view: nameOf('view', view), prefix }
    case 'view': return { view: nameOf('view', view) }
    case 'where': return { where: stringOf('where', where) }
    default: throw invalid(`a selector has one form; ${SELECTORS}`)
  }
}

module.exports = {
  isObject, optionsOf, wordOf, stringOf, nameOf, applicationKeyOf, messageNameOf, messageListOf, signalOf,
  boundsOf, selectorOf
}
