'use strict'
const { native } = require('./native')
const { nodeText } = require('./keys')
const { messagesOf } = require('./messages')
const { items } = require('./pull')
const { differences } = require('./follow')
const { rowsOf, parsedKey, readOptions, finite } = require('./rows')
const { optionsOf, wordOf, stringOf, signalOf, boundsOf } = require('./arguments')
const { SluiceError, invalid } = require('./errors')

const ROWS_AT_ONCE = 1000
const WITH_MESSAGES = { no: 0, yes: 1, ifRows: 2 } // As the addon numbers them.

class View {
  #database

  constructor (database, name) {
    this.#database = database
    this.name = name
  }

  read (options) {
    const given = boundsOf(optionsOf(options))
    return this.#read(given, given.messages ? WITH_MESSAGES.yes : WITH_MESSAGES.no)
  }

  async * #read (options, withMessages) {
    const handle = this.#database.handle
    const reader = native.readView(handle, this.name, readOptions(options), withMessages)
    const next = async () => {
      const piece = await native.nextRows(handle, reader, ROWS_AT_ONCE)
      const rows = rowsOf(piece)
      if (piece.messages) {
        messagesOf(piece.messages).forEach((message, i) => { rows[i].message = message })
      }
      return { items: rows, done: piece.done }
    }
    yield * items(next, () => { if (!this.#database.isClosed) native.endView(reader) })
  }

  async all (options) {
    const rows = []
    for await (const row of this.read(options)) rows.push(row)
    return rows
  }

  async get (key) {
    if (key === undefined) throw invalid('get() needs a key: an array of its elements')
    for await (const row of this.#read({ exact: key, limit: 1 }, WITH_MESSAGES.ifRows)) return row
  }

  async count (options) {
    return native.countRows(this.#database.handle, this.name, readOptions(boundsOf(optionsOf(options))))
  }

  follow (options) {
    const given = boundsOf(optionsOf(options))
    signalOf(given.signal)
    return differences(this.#database, this.name, given)
  }

  async links (options) {
    const { from, to, relation, limit } = boundsOf(optionsOf(options), ['from', 'to', 'relation'])
    const query = { from: nodeText(from), to: nodeText(to), relation: nodeText(relation), limit: finite(limit) }
    const links = await native.links(this.#database.handle, this.name, query)
    return links.map(link => ({
      source: node(link.source), relation: node(link.relation), target: node(link.target), seq: link.seq
    }))
  }

  async walk (options) {
    const { start, direction, relation, depth, limit } = boundsOf(optionsOf(options), ['relation'])
    if (start === undefined) throw invalid('walk() needs a start')
    const backward = wordOf('direction', direction, ['forward', 'backward']) === 'backward'
    const query = { start: nodeText(start), backward, relation: nodeText(relation), depth, limit: finite(limit) }
    const { steps, complete } = await native.walk(this.#database.handle, this.name, query)
    return {
      steps: steps.map(step => ({ node: node(step.node), distance: step.distance, via: node(step.via) })),
      complete
    }
  }

  async search (text, options) {
    stringOf('the text to search for', text)
    const { hits, total } = await native.search(this.#database.handle, this.name, text, optionsOf(options))
    return { hits: hits.map(hit => ({ ...hit, marks: marksIn(hit.snippet, hit.marks) })), total }
  }

  async info () {
    const view = (await this.#database.views()).find(view => view.name === this.name)
    if (!view) throw new SluiceError(`there is no view ${this.name}`, 'not_found')
    return view
  }

  async drop () { return native.dropView(this.#database.handle, this.name) }
}

/** The only element of a key. */
function node (text) {
  return parsedKey(text)[0]
}

/** From positions in UTF-8 to those of JavaScript. */
function marksIn (snippet, bytes) {
  const utf8 = Buffer.from(snippet)
  const position = byte => utf8.utf8Slice(0, byte).length
  const marks = []
  for (let i = 0; i < bytes.length; i += 2) marks.push([position(bytes[i]), position(bytes[i + 1])])
  return marks
}

module.exports = { View }
