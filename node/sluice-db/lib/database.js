'use strict'
const path = require('path')
const { native, databases, functions, withProgress } = require('./native')
const { keyText } = require('./keys')
const { messagesOf, messageOf, bodyOf } = require('./messages')
const { items, Bell } = require('./pull')
const { addFunction } = require('./map')
const { View } = require('./view')
const { Feed } = require('./follow')
const { Scuttlebutt } = require('./scuttlebutt')
const { closed, invalid } = require('./errors')

const MESSAGES_AT_ONCE = 1000
const BYTES_AT_ONCE = 4 * 1024 * 1024

class Database {
  #handle
  #id
  #listeners = new Set()
  #functions = [] // Of its views, by their numbers.
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
    for (const listener of [...this.#listeners]) listener(last)
  }

  /** Makes a call with ChangeOptions. */
  async change ({ reason, actor, endSnapshots, onProgress } = {}, make) {
    return withProgress(onProgress, call => make({ reason, actor, endSnapshots, call }))
  }

  // Appending.

  async append (value, { key, readmit } = {}) {
    return native.append(this.handle, [bodyOf(value)], key === undefined ? undefined : [key], !!readmit)
  }

  async appendAll (messages, { readmit } = {}) {
    return native.append(this.handle, messages.map(message => bodyOf(message.value)), keysOf(messages), !!readmit)
  }

  async offer (messages, { readmit } = {}) {
    return native.offer(this.handle, messages.map(message => bodyOf(message.value)), keysOf(messages), !!readmit)
  }

  async flush () { return native.flush(this.handle) }

  // Reading the log.

  get last () { return native.last(this.handle) }

  async get (which, options) { return this.getNow(which, options) }

  // Also while it is being closed: what was asked for before may call map functions that look here.
  getNow (which, { stored } = {}) { return messageOf(native.get(this.#handle, which, !!stored)) }

  log (options = {}) { return options.live ? this.#liveLog(options) : this.#oldLog(options) }

  async * #oldLog ({ from, to, reverse, limit = Infinity, changes, stored }) {
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
    yield * items(next, () => { if (!this.isClosed) native.endLog(reader) })
  }

  async * #liveLog ({ from = 1, to, limit = Infinity, reverse, signal, ...rest }) {
    if (reverse) throw invalid('a live log has no end to begin at')
    native.watch(this.handle)
    let left = limit
    try {
      while (left > 0 && !(to < from) && !(signal && signal.aborted)) {
        const { rings } = this.entries
        const last = this.last
        for await (const message of this.#oldLog({ ...rest, from, to: to < last ? to : last, limit: left })) {
          left--
          yield message
        }
        from = last + 1
        await this.entries.rungSince(rings, signal)
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
    return this.change(options, plain => native[call](this.handle, selectorOf(which), plain))
  }

  async replace (seq, value, options) {
    return this.change(options, plain => native.replace(this.handle, seq, bodyOf(value), plain))
  }

  async select (which, { deletedToo } = {}) { return native.select(this.handle, selectorOf(which), !!deletedToo) }
  async receipts () { return native.receipts(this.handle) }

  // Facts.

  putFact (fact, options) { return this.putFacts([fact], options) }

  async putFacts (facts, options) {
    const plainFacts = facts.map(({ collection, key, value = null, secret }) => ({
      collection, key: keyText(key), value: bodyOf(value), secret: !!secret
    }))
    return this.change(options, plain => native.putFacts(this.handle, plainFacts, plain))
  }

  async dropFact (collection, key, options) {
    return this.change(options, plain => native.dropFact(this.handle, collection, keyText(key), plain))
  }

  async eraseFact (collection, key, options) {
    return this.change(options, plain => native.eraseFact(this.handle, collection, keyText(key), plain))
  }

  async facts (collection = '') {
    const facts = await native.facts(this.handle, collection)
    return facts.map(fact => ({ ...fact, key: JSON.parse(fact.key) }))
  }

  // Views.

  async addView (name, view, { onProgress = view.onProgress } = {}) {
    if (typeof view.map === 'function') {
      await this.#addCodeView(name, view, onProgress)
    } else {
      await this.addViews({ [name]: view }, { onProgress })
    }
    return this.view(name)
  }

  #addCodeView (name, { app, version = 1, definition = { kind: 'index' }, map, onError, whenBehind }, onProgress) {
    if (typeof app !== 'string' || app === '') throw invalid('a view written as a function needs its app')
    const plain = { app, version, definition: JSON.stringify(definition), readOn: whenBehind === 'read-on' }
    const number = addFunction(map, (error, message) => {
      // That says nothing about the message: thrown here it ends the pass, which the next opening begins anew.
      if (this.isClosed && error && error.code === 'closed') throw error
      if (onError) onError(error, message)
    })
    this.#functions.push(number)
    return withProgress(onProgress, call => native.addCodeView(this.handle, name, plain, number, call))
  }

  async addViews (views, { onProgress, app = '' } = {}) {
    const pairs = Object.entries(views).map(([name, view]) => [name, JSON.stringify(view)])
    return withProgress(onProgress, call => native.addViews(this.handle, pairs, app, call))
  }

  view (name) { return new View(this, name) }

  async views () {
    const views = await native.views(this.handle)
    return views.map(view => ({ ...view, definition: JSON.parse(view.definition) }))
  }

  async apps () { return native.apps(this.handle) }
  async forgetApp (app, { dryRun } = {}) { return native.forgetApp(this.handle, app, !!dryRun) }

  async waitForViews ({ onProgress } = {}) {
    return withProgress(onProgress, call => native.waitForViews(this.handle, call))
  }

  // Following.

  feed (options = {}) { return new Feed(this, '', options) }
  consumer (name, options = {}) { return new Feed(this, name, options) }
  async consumers () { return native.consumers(this.handle) }
  async dropConsumer (name) { return native.dropConsumer(this.handle, name) }

  onEntry (listener) {
    native.watch(this.handle)
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  // Looking after it.

  async why (seq) {
    const { message, steps, views, rederivedBy } = await native.why(this.handle, seq)
    return { message: messageOf(message), steps: steps.map(withKeys), views: views.map(withKeys), rederivedBy }
  }

  async verify ({ onProgress } = {}) { return withProgress(onProgress, call => native.verify(this.handle, call)) }
  async stats () { return native.stats(this.handle) }

  async importFile (file, { onProgress, ...options } = {}) {
    return withProgress(onProgress, call => native.importFile(this.handle, file, { ...options, call }))
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
    for (const number of this.#functions) functions.remove(number)
  }
}

/** The application keys of messages; undefined where none has one. */
function keysOf (messages) {
  return messages.some(message => message.key) ? messages.map(message => message.key || '') : undefined
}

function selectorOf (which) {
  if (typeof which === 'number') return { seqs: [which] }
  if (Array.isArray(which)) return { seqs: which }
  const { keys, view, prefix, where } = which
  return { keys, view, prefix: keyText(prefix), where }
}

/** Keys of what `why` found, out of JSON. */
function withKeys (found) {
  const parsed = texts => texts.map(text => JSON.parse(text))
  const looks = found.looks.map(look => ({ ...look, key: look.key === '' ? look.key : JSON.parse(look.key) }))
  return { ...found, looks, ...(found.keys && { keys: parsed(found.keys) }), ...(found.cells && { cells: parsed(found.cells) }) }
}

async function open (directory, { onProgress, ...options } = {}) {
  const place = path.resolve(directory)
  const id = databases.add(undefined)
  try {
    const handle = await withProgress(onProgress, call => native.open(place, id, { ...options, call }))
    const database = new Database(handle, id, place, options)
    databases.entries.set(id, database)
    return database
  } catch (error) {
    databases.remove(id)
    throw error
  }
}

module.exports = { Database, open }
