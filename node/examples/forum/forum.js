#!/usr/bin/env node
'use strict'
// A forum in the terminal. Every message is signed and appended once; what is edited, deleted, opened or
// blocked afterwards is right in every view when the command returns. No code below keeps a view up to date.
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const ssbKeys = require('ssb-keys')
const { open } = require('sluice-db')

const HELP = `usage: node forum.js DIR [--as NAME] [COMMAND ...]

Without a command it asks for commands until "quit". A message is named by its number, as the lists show it.

  post TEXT               begin a thread
  reply NUMBER TEXT       answer in the thread of a message
  edit NUMBER TEXT        say it anew: everybody sees the new text, and that it is edited. Yours only
  private NAME TEXT       begin a thread that only NAME and you can read, once a key opens it
  delete NUMBER           take it out of every view; "restore NUMBER" brings it back
  erase NUMBER            delete it and its edits for ever: no file of the database has a byte of them
  key add|drop NAME       private messages to NAME appear in every view, or vanish; "key list"
  block NAME|@ID          what it said leaves and what it says stays out; "unblock NAME|@ID"

  threads                 all threads, the newest first
  thread NUMBER           the whole thread of a message
  author NAME|@ID         what somebody said
  search WORDS            who said that
  live                    shows what comes and goes, at once, also from other terminals ("quiet" ends it)
  names                   the identities of this forum, each made when it first speaks

Try, in two terminals:
  node forum.js /tmp/forum live
  node forum.js /tmp/forum --as ada post "Hello, is anybody here?"
`

/** Every view of the forum. What is still boxed has no row in any of them. */
const isPost = '/value/content/type=post'
const VIEWS = {
  posts: { kind: 'index', where: isPost, key: ['/value/timestamp'] },
  threads: { kind: 'index', where: `${isPost} and not /value/content/root`, key: ['/value/timestamp'] },
  replies: { kind: 'index', where: isPost, key: ['/value/content/root', '/value/timestamp'] },
  'reply-counts': { kind: 'aggregate', where: isPost, group: ['/value/content/root'], value: { count: true } },
  authors: { kind: 'index', where: isPost, key: ['/value/author', '/value/timestamp'] },
  edits: { kind: 'index', where: '/value/content/type=edit', key: ['/value/content/original'] },
  words: { kind: 'search', where: isPost, text: ['/value/content/text'], language: 'english' }
}

/** What people are told when they ask for something that cannot be. */
class Mistake extends Error {}

/** Who can speak here: secret files, as Scuttlebutt programs keep them, in a folder beside the database. */
class Identities {
  #folder

  constructor (folder) { this.#folder = folder }

  get names () { return fs.existsSync(this.#folder) ? fs.readdirSync(this.#folder).filter(isName).sort() : [] }
  secretFile (name) { return path.join(this.#folder, name) }

  /** The keys of a name, made when there are none. */
  keys (name) {
    if (!isName(name)) throw new Mistake(`"${name}" is no name: letters, digits and dashes make one`)
    return ssbKeys.loadOrCreateSync(this.secretFile(name))
  }

  /** The feed of a name that is known, or the id itself. */
  id (nameOrId = '') {
    if (nameOrId.startsWith('@')) return nameOrId
    if (!this.names.includes(nameOrId)) throw new Mistake(`nobody here is called "${nameOrId}"`)
    return this.keys(nameOrId).id
  }

  nameOf (id) { return this.names.find(name => this.keys(name).id === id) || id.slice(0, 9) }

  /**
   * Signs the next message of somebody and hands it to `append`. A feed must not fork, also when its last
   * message was deleted or erased: so what was last is kept beside the secret, and before it is appended.
   */
  async say (name, content, append) {
    const keys = this.keys(name)
    const lastFile = this.secretFile(name) + '.last'
    const last = fs.existsSync(lastFile) ? JSON.parse(fs.readFileSync(lastFile)) : { id: null, sequence: 0 }
    const keep = last => fs.writeFileSync(lastFile, JSON.stringify(last))
    const value = ssbKeys.signObj(keys, {
      previous: last.id,
      sequence: last.sequence + 1,
      author: keys.id,
      timestamp: Date.now(),
      hash: 'sha256',
      content
    })
    const key = '%' + ssbKeys.hash(JSON.stringify(value, null, 2))
    keep({ id: key, sequence: value.sequence })
    try {
      return await append({ key, value })
    } catch (error) {
      if (error.code === 'refused') keep(last) // It is certainly not there. Of other failures nobody knows.
      throw error
    }
  }
}

function isName (text = '') { return /^[a-z0-9-]+$/i.test(text) }

class Forum {
  #stopLive

  constructor (db, identities, me) {
    this.db = db
    this.identities = identities
    this.me = me
  }

  // Saying something.

  post (...words) { return this.#say({ type: 'post', text: textOf(words) }) }

  async reply (number, ...words) {
    const { key, value } = await this.#message(number)
    const { root = key, recps } = value.content
    return this.#say({ type: 'post', text: textOf(words), root, branch: key, ...(recps && { recps }) })
  }

  async edit (number, ...words) {
    const { key, value, edited } = await this.#message(number)
    if (value.author !== this.identities.keys(this.me).id) throw new Mistake(`${number} is not yours to edit`)
    const { recps } = value.content
    const updated = edited ? edited.key : key
    await this.#say({ type: 'edit', original: key, updated, text: textOf(words), ...(recps && { recps }) })
    return this.#line(await this.db.get(Number(number)))
  }

  private (name, ...words) {
    const recps = [this.identities.keys(this.me).id, this.identities.id(name)]
    return this.#say({ type: 'post', text: textOf(words), recps })
  }

  async #say (content) {
    const sent = content.recps ? ssbKeys.box(content, content.recps) : content
    const seq = await this.identities.say(this.me, sent, message => this.db.append(message, { key: message.key }))
    return this.#line(await this.db.get(seq))
  }

  // Changing the past.

  async delete (number) { return counted('deleted', await this.db.delete(await this.#seq(number))) }
  async restore (number) { return counted('restored', await this.db.restore(await this.#seq(number))) }

  async erase (number) {
    const seq = await this.#seq(number)
    const { key } = await this.db.get(seq)
    // An edit is a message of its own, and has the text, too.
    const edits = key ? await this.db.select({ view: 'edits', prefix: [key] }) : []
    const erased = await this.db.erase([seq, ...edits])
    return counted('erased', erased) + (erased.receipt ? ` (assurance: ${erased.receipt.assurance})` : '')
  }

  async key (what, name) {
    const { scuttlebutt } = this.db
    if (what === 'list') return (await scuttlebutt.keys()).map(({ id }) => `${this.identities.nameOf(id)} ${id}`)
    if (what === 'add') {
      this.identities.id(name)
      return counted('read anew', await scuttlebutt.addIdentity(fs.readFileSync(this.identities.secretFile(name))))
    }
    if (what === 'drop') return counted('read anew', await scuttlebutt.dropKey(this.identities.id(name)))
    throw new Mistake('key add NAME, key drop NAME or key list')
  }

  async block (nameOrId) { return counted('left', await this.db.scuttlebutt.block(this.identities.id(nameOrId))) }
  async unblock (nameOrId) { return counted('back', await this.db.scuttlebutt.unblock(this.identities.id(nameOrId))) }

  // Reading.

  async threads () {
    const lines = []
    for await (const { message } of this.db.view('threads').read({ reverse: true, messages: true })) {
      const replies = await this.db.view('reply-counts').get([message.value.key])
      lines.push(`${this.#line(message)}${replies ? `  +${replies.value.count}` : ''}`)
    }
    return lines
  }

  async thread (number) {
    const { key, value } = await this.#message(number)
    const rootKey = value.content.root || key
    const root = await this.db.get(rootKey)
    const lines = [root && root.state === 'live' ? this.#line(root) : '(how it began is gone)']
    for await (const { message } of this.db.view('replies').read({ prefix: [rootKey], messages: true })) {
      lines.push('  ' + this.#line(message))
    }
    return lines
  }

  async author (nameOrId) {
    const rows = await this.db.view('authors').all({ prefix: [this.identities.id(nameOrId)], messages: true })
    return rows.map(({ message }) => this.#line(message))
  }

  async search (...words) {
    const { hits } = await this.db.view('words').search(textOf(words))
    const messages = await Promise.all(hits.map(hit => this.db.get(hit.seq)))
    return messages.filter(message => message && message.state === 'live').map(message => this.#line(message))
  }

  names () { return this.identities.names.map(name => `${name} ${this.identities.id(name)}`) }

  /** Tells what comes, changes and goes until quiet(). */
  async live (show) {
    if (this.#stopLive) return
    this.#stopLive = new AbortController()
    show('(live: what comes and goes)')
    const shown = new Map() // By number, what it reads.
    let isFirst = true
    for await (const difference of this.db.view('posts').follow({ signal: this.#stopLive.signal })) {
      for (const seq of left(difference, shown)) {
        show(`- [${seq}]`)
        shown.delete(seq)
      }
      for (const { seq } of difference.added) {
        const message = await this.db.get(seq)
        if (!message || message.state !== 'live') continue // It has gone since: the next difference tells.
        const line = this.#line(message)
        const mark = isFirst ? ' ' : shown.has(seq) ? '~' : '+'
        if (shown.get(seq) !== line) show(`${mark} ${line}`)
        shown.set(seq, line)
      }
      isFirst = false
    }
  }

  quiet () {
    if (this.#stopLive) this.#stopLive.abort()
    this.#stopLive = undefined
  }

  async #seq (number) {
    const seq = Number(number)
    const entry = Number.isInteger(seq) && seq > 0 && await this.db.get(seq)
    if (!entry || entry.state === 'change') throw new Mistake(`there is no message ${number}`)
    return seq
  }

  /** A post that can be read. */
  async #message (number) {
    const { value } = await this.db.get(await this.#seq(number))
    if (!value || value.value.content.type !== 'post') throw new Mistake(`${number} is no post that can be read`)
    return value
  }

  #line ({ seq, value: { value, meta, edited } }) {
    const text = typeof value.content === 'string' ? '(private; no key here opens it)' : value.content.text
    const marks = [meta && 'private', edited && 'edited'].filter(Boolean)
    return `[${seq}] ${this.identities.nameOf(value.author)}: ${text}${marks.length ? ` (${marks.join(', ')})` : ''}`
  }
}

/** Who was shown and is not there any more. What reads otherwise goes and comes in one difference. */
function left ({ fresh, gone, added }, shown) {
  const came = new Set(added.map(row => row.seq))
  const concerned = fresh ? [...shown.keys()] : gone.map(row => row.seq)
  return concerned.filter(seq => shown.has(seq) && !came.has(seq))
}

function textOf (words) {
  if (words.length === 0) throw new Mistake('and what is the text?')
  return words.join(' ')
}

/** What a change did; its entry is 0 if it found nothing to do. */
function counted (what, { at, seqs }) {
  if (at === 0) return `nothing to do: no message ${what}`
  return `${what}: ${seqs.length} message${seqs.length === 1 ? '' : 's'}`
}

const WRITING = ['post', 'reply', 'edit', 'private', 'delete', 'restore', 'erase', 'block', 'unblock']
const READING = ['threads', 'thread', 'author', 'search', 'names', 'live', 'quiet']

function isWriting (command, what) { return WRITING.includes(command) || (command === 'key' && what !== 'list') }

/** Opens to write, and makes the forum if there is none; or to read beside whoever writes. */
async function openForum (directory, me, { readOnly }) {
  fs.mkdirSync(directory, { recursive: true })
  const db = await open(path.join(directory, 'db'), { scuttlebutt: true, readOnly })
  if (!readOnly) await db.addViews(VIEWS, { app: 'forum' })
  return new Forum(db, new Identities(path.join(directory, 'identities')), me)
}

/** One who comes first to a place where nothing was said yet makes the forum. */
async function openToRead (directory, me) {
  try {
    return await openForum(directory, me, { readOnly: true })
  } catch (error) {
    if (error.code !== 'not_found') throw error
    await (await openForum(directory, me, {})).db.close()
    return openForum(directory, me, { readOnly: true })
  }
}

async function run (forum, [command, ...words], show) {
  if (![...WRITING, ...READING, 'key'].includes(command)) throw new Mistake(`there is no command "${command}": see --help`)
  const told = await forum[command](...(command === 'live' ? [show] : words))
  if (Array.isArray(told)) told.forEach(line => show(line))
  else if (told) show(told)
}

function explained (error) {
  if (error instanceof Mistake) return error.message
  switch (error.code) {
    case 'busy': return 'another terminal writes in this forum: try again when it is done'
    case 'read_only': return 'another terminal writes in this forum, this one only reads'
    case 'refused': return 'the forum does not take it: ' + error.message
    case 'invalid_argument': return error.message
    case 'not_found': return 'there is nothing of that kind'
    default: return error.stack
  }
}

async function oneShot (directory, me, words) {
  const forum = isWriting(...words) ? await openForum(directory, me, {}) : await openToRead(directory, me)
  process.once('SIGINT', () => forum.quiet())
  try {
    await run(forum, words, line => console.log(line))
  } finally {
    await forum.db.close()
  }
}

/** Writes if nobody else does. */
async function interactive (directory, me) {
  const forum = await openForum(directory, me, {}).catch(error => {
    if (error.code !== 'busy') throw error
    console.log('(another terminal writes in this forum: this one reads)')
    return openToRead(directory, me)
  })
  const prompt = readline.createInterface({ input: process.stdin, output: process.stdout, prompt: `${me}> ` })
  const show = line => {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K') // The prompt stands there.
    console.log(line)
    if (process.stdin.isTTY) prompt.prompt(true)
  }
  const failed = error => show(explained(error))
  let live
  prompt.prompt()
  for await (const line of prompt) {
    const words = line.trim().split(/\s+/)
    if (words[0] === 'quit') break
    if (words[0] === 'help') console.log(HELP)
    else if (words[0] === 'live') live = Promise.all([live, run(forum, words, show).catch(failed)]) // Beside the prompt.
    else if (words[0]) await run(forum, words, show).catch(failed)
    prompt.prompt()
  }
  prompt.close()
  forum.quiet()
  await live // It may be about to read what it shows next.
  await forum.db.close()
}

function argumentsOf ([directory, ...words]) {
  if (words[0] !== '--as') return { directory, me: 'me', words }
  if (!isName(words[1])) throw new Mistake('--as needs a name: letters, digits and dashes make one')
  return { directory, me: words[1], words: words.slice(2) }
}

async function main (all) {
  if (all.length === 0 || all.includes('--help')) return console.log(HELP)
  const { directory, me, words } = argumentsOf(all)
  return words.length > 0 ? oneShot(directory, me, words) : interactive(directory, me)
}

main(process.argv.slice(2)).catch(error => {
  console.error(explained(error))
  process.exitCode = 1
})
