'use strict'
const path = require('path')
const { native, databases, functions, tell, withProgress } = require('./native')
const { keyText } = require('./keys')
const { parsedKey } = require('./rows')
const { messagesOf, messageOf, jsonOf, bodyOf } = require('./messages')
const { items, isAborted, Bell } = require('./pull')
const { addFunction } = require('./map')
const { View } = require('./view')
const { Feed } = require('./follow')
const { Scuttlebutt } = require('./scuttlebutt')
const {
  isObject, optionsOf, wordOf, stringOf, nameOf, applicationKeyOf, messageNameOf, messageListOf, signalOf, boundsOf, selectorOf
} = require('./arguments')
const { closed, invalid } = require('./errors')

const MESSAGES_AT_ONCE = 1000
const BYTES_AT_ONCE = 4 * 1024 * 1024
const OPEN_OPTIONS = [
  'create', 'readOnly', 'durability', 'syncIntervalMs', 'erasePatienceMs', 'viewMemoryBytesMax', 'scuttlebutt', 'onProgress'
]
const IMPORT_OPTIONS = ['format', 'keyPointer', 'untilDamage', 'readmit', 'onProgress']
const NO_DEFINITION = 'the definition of a view must be a value that JSON has'
const CODE_VIEW = ['app', 'version', 'definition', 'map', 'onError', 'whenBehind', 'onProgress']

class Database {
  #handle
  #id
  #listeners = new Set()
  #functions = new Map() // Of its views, by name: the numbers of their functions.
  #closing

  /** By open() only. */
  constructor (handle, id, directory, { readOnly }) {
    this.#handle = handle
    this.#id = id
    this.path = directory
    this.readOnly = !!readOnly
    this.scuttlebutt = new Scuttlebutt(this)
    this.entries = new Bell() // Rings when there are new ones.
  }

  // For the other files of this package.

  get handle () {
    if (this.#closing) throw closed()
    return this.#handle
  }

  get isClosed () { return !!this.#closing }

  tellEntry (last) {
    this.entries.ring()
    for (const listener of [...this.#listeners]) tell(listener, last)
  }

  /** Makes a call with ChangeOptions. */
  async change (options, make) {
    const { reason, actor, endSnapshots, onProgress } = optionsOf(options)
    return withProgress(onProgress, call => make({ reason, actor, endSnapshots, call }))
  }

  // Appending.

  async append (value, options) {
    const { key, readmit } = optionsOf(options)
    return native.append(this.handle, [bodyOf(value)], keysOf([{ key }]), !!readmit)
  }

  async appendAll (messages, options) { return this.#appendList('append', messages, options) }
  async offer (messages, options) { return this.#appendList('offer', messages, options) }

  #appendList (call, messages, options) {
    const { readmit } = optionsOf(options)
    const bodies = messageListOf(messages).map(message => bodyOf(message.value))
    return native[call](this.handle, bodies, keysOf(messages), !!readmit)
  }

  async flush () { return native.flush(this.handle) }

  // Reading the log.

  get last () { return native.last(this.handle) }

  async get (which, options) { return this.getNow(which, options) }

  // Also while it is being closed: what was asked for before may call map functions that look here.
  getNow (which, options) {
    const { stored } = optionsOf(options)
    return messageOf(native.get(this.#handle, messageNameOf(which), !!stored))
  }

  log (options) {
    const given = optionsOf(options)
    signalOf(given.signal)
    return given.live ? this.#liveLog(given) : this.#oldLog(given)
  }

  async * #oldLog ({ from, to, reverse, limit = Infinity, changes, stored, signal }) {
    if (limit <= 0) return
    const handle = this.handle
    const reader = native.readLog(handle, { from, to, reverse: !!reverse, changes: !!changes, stored: !!stored })
    let left = limit
    const next = async () => {
      const piece = await native.nextMessages(handle, reader, Math.min(left, MESSAGES_AT_ONCE), BYTES_AT_ONCE)
      const messages = messagesOf(piece.messages)
      left -= messages.length
      return { items: messages, done: piece.done || left <= 0 }
    }
    yield * items(next, () => { if (!this.isClosed) native.endLog(reader) }, signal)
  }

  async * #liveLog ({ from = 1, to, limit = Infinity, reverse, signal, ...rest }) {
    if (reverse) throw invalid('a live log has no end to begin at')
    native.watch(this.handle)
    let left = limit
    const isOver = () => left <= 0 || to < from || isAborted(signal)
    try {
      while (!isOver()) {
        const { rings } = this.entries
        const last = this.last
        for await (const message of this.#oldLog({ ...rest, from, to: to < last ? to : last, limit: left, signal })) {
          left--
          yield message
        }
        from = last + 1
        if (!isOver()) await this.entries.rungSince(rings, signal)
      }
    } catch (error) {
      if (error.code !== 'closed') throw error
    }
  }

  // Changing the past.

  async delete (which, options) { return this.#changeSelected('delete', which, options) }
  async restore (which, options) { return this.#changeSelected('restore', which, options) }
  async erase (which, options) { return this.#changeSelected('erase', which, options) }
  async rederive (which, options) { return this.#changeSelected('rederive', which, options) }
  async hold (which, options) { return this.#changeSelected('hold', which, options) }
  async release (which, options) { return this.#changeSelected('release', which, options) }

  #changeSelected (call, which, options) {
    return this.change(options, plain => native[call](this.handle, plainSelectorOf(which), plain))
  }

  async replace (seq, value, options) {
    return this.change(options, plain => native.replace(this.handle, seq, bodyOf(value), plain))
  }

  async select (which, options) {
    const { deletedToo } = optionsOf(options)
    return native.select(this.handle, plainSelectorOf(which), !!deletedToo)
  }

  async receipts () { return native.receipts(this.handle) }

  // Facts.

  putFact (fact, options) { return this.putFacts([fact], options) }

  async putFacts (facts, options) {
    if (!Array.isArray(facts) || !facts.every(isObject)) throw invalid('facts must be an array of {collection, key, value}')
    const plainFacts = facts.map(({ collection, key, value = null, secret }) => ({
      collection: stringOf('collection', collection), key: factKeyText(key), value: bodyOf(value, 'a fact'), secret: !!secret
    }))
    return this.change(options, plain => native.putFacts(this.handle, plainFacts, plain))
  }

  async dropFact (collection, key, options) {
    stringOf('collection', collection)
    return this.change(options, plain => native.dropFact(this.handle, collection, factKeyText(key), plain))
  }

  async eraseFact (collection, key, options) {
    stringOf('collection', collection)
    return this.change(options, plain => native.eraseFact(this.handle, collection, factKeyText(key), plain))
  }

  async facts (collection = '') {
    const facts = await native.facts(this.handle, stringOf('collection', collection))
    return facts.map(fact => ({ ...fact, key: parsedKey(fact.key) }))
  }

  // Views.

  async addView (name, view, options) {
    nameOf('the name of a view', name)
    if (!isObject(view)) throw invalid('a view must be an object')
    const { onProgress = view.onProgress } = optionsOf(options)
    if (typeof view.map === 'function') {
      await this.#addCodeView(name, optionsOf(view, 'a view written as a function', CODE_VIEW), onProgress)
    } else {
      await this.addViews({ [name]: view }, { onProgress })
    }
    return this.view(name)
  }

  async #addCodeView (name, { app, version = 1, definition = { kind: 'index' }, map, onError, whenBehind }, onProgress) {
    if (typeof app !== 'string' || app === '') throw invalid('a view written as a function needs its app')
    if (onError !== undefined && typeof onError !== 'function') throw invalid('onError must be a function')
    const readOn = wordOf('whenBehind', whenBehind, ['wait', 'read-on']) === 'read-on'
    const plain = { app, version, definition: jsonOf(definition, NO_DEFINITION), readOn }
    // What is closed says nothing about the message: the pass ends, and the next opening begins it anew.
    const number = addFunction(map, definition && definition.kind, onError, error => this.isClosed && error.code === 'closed')
    try {
      await withProgress(onProgress, call => native.addCodeView(this.handle, name, plain, number, call))
    } catch (error) {
      functions.remove(number)
      throw error
    }
    this.#keepFunction(name, number)
  }

  /** What stood for a view before is let go. Who is still about to ask it gets the answers of what stands for it now. */
  #keepFunction (name, number) {
    const numbers = this.#functions.get(name) || []
    for (const earlier of numbers) functions.entries.set(earlier, functions.get(number))
    this.#functions.set(name, [...numbers, number])
  }

  async addViews (views, options) {
    const { onProgress, app = '' } = optionsOf(options)
    if (!isObject(views) || Array.isArray(views)) throw invalid('views must be an object of definitions by their names')
    const pairs = Object.entries(views).map(([name, view]) => [name, jsonOf(view, NO_DEFINITION)])
    return withProgress(onProgress, call => native.addViews(this.handle, pairs, stringOf('app', app), call))
  }

  view (name) { return new View(this, nameOf('the name of a view', name)) }

  async views () {
    const views = await native.views(this.handle)
    return views.map(view => ({ ...view, definition: JSON.parse(view.definition) }))
  }

  async apps () { return native.apps(this.handle) }
  async forgetApp (app, options) {
    const { dryRun } = optionsOf(options)
    return native.forgetApp(this.handle, nameOf('the name of an app', app), !!dryRun)
  }

  async waitForViews (options) {
    return withProgress(optionsOf(options).onProgress, call => native.waitForViews(this.handle, call))
  }

  // Following.

  feed (options) { return new Feed(this, '', feedOptionsOf(options)) }

  consumer (name, options) {
    return new Feed(this, nameOf('the name of a consumer', name), feedOptionsOf(options))
  }

  async consumers () { return native.consumers(this.handle) }
  async dropConsumer (name) { return native.dropConsumer(this.handle, nameOf('the name of a consumer', name)) }

  onEntry (listener) {
    if (typeof listener !== 'function') throw invalid('onEntry needs a function')
    native.watch(this.handle)
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  // Looking after it.

  async why (seq) {
    const { message, steps, views, rederivedBy } = await native.why(this.handle, seq)
    return { message: messageOf(message), steps: steps.map(withKeys), views: views.map(withKeys), rederivedBy }
  }

  async verify (options) {
    return withProgress(optionsOf(options).onProgress, call => native.verify(this.handle, call))
  }

  async stats () { return native.stats(this.handle) }

  async importFile (file, options) {
    stringOf('the path of a file', file)
    const { onProgress, ...plain } = optionsOf(options, 'importFile', IMPORT_OPTIONS)
    wordOf('format', plain.format, ['flumelog-offset', 'jsonl'])
    return withProgress(onProgress, call => native.importFile(this.handle, file, { ...plain, call }))
  }

  async mergeViews () { return native.mergeViews(this.handle) }

  close () {
    if (!this.#closing) {
      this.#closing = this.#closeAfterWork()
      this.entries.end()
    }
    return this.#closing
  }

  async #closeAfterWork () {
    // It ends behind all that is under way. What fails there is told to whoever has asked for it.
    await native.flush(this.#handle).catch(() => {})
    await native.close(this.#handle)
    databases.remove(this.#id)
    for (const number of [...this.#functions.values()].flat()) functions.remove(number)
  }
}

/** The application keys of messages; undefined where none has one. */
function keysOf (messages) {
  const keys = messages.map(message => applicationKeyOf(message.key))
  return keys.some(key => key !== '') ? keys : undefined
}

function plainSelectorOf (which) {
  const selector = selectorOf(which)
  return { ...selector, prefix: keyText(selector.prefix) }
}

function factKeyText (key) {
  if (key === undefined) throw invalid('the key of a fact must be an array of its elements')
  return keyText(key)
}

function feedOptionsOf (options) {
  const given = boundsOf(optionsOf(options), ['prefix'])
  if (typeof given.start !== 'number') wordOf('start', given.start, ['first', 'now'])
  if (given.position !== undefined) stringOf('position', given.position)
  signalOf(given.signal)
  return given
}

/** Keys of what `why` found, out of JSON. */
function withKeys (found) {
  const parsed = texts => texts.map(text => JSON.parse(text))
  const looks = found.looks.map(look => ({ ...look, key: look.key === '' ? look.key : parsedKey(look.key) }))
  return { ...found, looks, ...(found.keys && { keys: found.keys.map(parsedKey) }), ...(found.cells && { cells: parsed(found.cells) }) }
}

async function open (directory, options) {
  const place = path.resolve(nameOf('the path of a database', directory))
  const { onProgress, ...plain } = optionsOf(options, 'open', OPEN_OPTIONS)
  wordOf('durability', plain.durability, ['every-commit', 'interval', 'none'])
  const id = databases.add(undefined)
  try {
    const handle = await withProgress(onProgress, call => native.open(place, id, { ...plain, call }))
    const database = new Database(handle, id, place, plain)
    databases.entries.set(id, database)
    return database
  } catch (error) {
    databases.remove(id)
    throw error
  }
}

module.exports = { Database, open, OPEN_OPTIONS }
