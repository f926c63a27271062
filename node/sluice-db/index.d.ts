/**
 * Sluice: an embedded event log whose past can change, and the views of it that are right at once.
 *
 *     const { open } = require('sluice-db')
 *     const db = await open('forum.sluice')
 *     await db.addView('by-author', { kind: 'index', key: ['/author'] })
 *     const seq = await db.append({ author: '@alice', text: 'hello' })
 *     for await (const row of db.view('by-author').read({ prefix: ['@alice'] })) console.log(row)
 *     await db.delete(seq)
 *
 * Calls that write or walk do their work on other threads and answer with promises; one process at a
 * time writes a database. Every rejection is a {@link SluiceError}. Numbers of entries ("seq") are
 * JavaScript numbers: 1, 2, 3 ...
 */

/**
 * An element of a key: objects are not keys. A bigint is a 64-bit integer; what is read is one where no number has all
 * its digits.
 */
export type KeyElement = null | boolean | number | bigint | string | KeyElement[]
/** A typed tuple, ordered element by element: null < false < true < numbers < strings < arrays. */
export type Key = KeyElement[]

export type ErrorCode =
  | 'io' | 'no_space' | 'corrupt' | 'not_found' | 'busy' | 'invalid_argument' | 'unsupported_version'
  | 'exists' | 'held' | 'refused' | 'latched' | 'read_only' | 'ended' | 'closed'

/** What every call rejects with. The message is for people and never has content or keys in it. */
export class SluiceError extends Error {
  code: ErrorCode
  /** Of the system call that failed, if one did. */
  errno?: number
}

export interface Progress {
  what: string
  done: number
  /** 0: unknown. */
  total: number
}
export interface WithProgress {
  /** Called a few times a second while the work goes on. */
  onProgress?: (progress: Progress) => void
}

export interface OpenOptions extends WithProgress {
  /** Make the database if there is none (true). */
  create?: boolean
  /** Read beside the process that writes, and follow it. */
  readOnly?: boolean
  /** What a power cut can take back: nothing, at most `syncIntervalMs`, or all since the last flush. */
  durability?: 'every-commit' | 'interval' | 'none'
  syncIntervalMs?: number
  /** How long erase() waits for readers that pin the erased bytes. */
  erasePatienceMs?: number
  /** Rows kept in memory before they are written to files. Bytes. */
  viewMemoryBytesMax?: number
  /**
   * Read messages as Scuttlebutt does: boxed ones open with the keys that are added, edits count,
   * blobs are looked up, blocked feeds stay out. Kept by the database once it was asked for; a
   * program that opens such a database has to say so too, or views wait (false).
   */
  scuttlebutt?: boolean
}

/** The names of what open() takes, and refuses others than: for programs that hand on options of others, too. */
export const openOptions: readonly string[]

/** Opens a database, and makes it first where there is none. */
export function open (path: string, options?: OpenOptions): Promise<Database>

/** A message, or another entry of the log, as it is now. */
export class Message {
  private constructor ()
  readonly seq: number
  /** The application key; '' if it has none, and when erased. */
  readonly key: string
  readonly state: 'live' | 'deleted' | 'erased' | 'change'
  /** The bytes. Empty unless live. */
  readonly body: Buffer
  /** The body as JSON; undefined where it is not JSON in UTF-8. Parsed when first asked for. */
  readonly value: any
  /** For a change: what it did, in a line for people. */
  readonly change?: string
}

export interface AppendOptions {
  /** Names the message. Unique among messages. Unicode, without halves of surrogate pairs. */
  key?: string
  /** Take it though a message of this key was deleted or erased before. */
  readmit?: boolean
}
export interface NewMessage {
  /** A Uint8Array is stored as it is; anything else as JSON. */
  value: any
  key?: string
}
export type Offered = 'appended' | 'exists' | 'refused' | 'kept_out'

/**
 * Which messages: by seq, by application key, by rows of a view, by a condition. One of these forms; other members, and a
 * prefix that is undefined, are refused.
 */
export type Selector =
  | number | number[]
  | { keys: string[] }
  | { view: string, prefix?: Key }
  | { where: string }

export interface ChangeOptions extends WithProgress {
  /** Kept in the log for ever: no personal data. */
  reason?: string
  actor?: string
  /** erase, eraseFact: end the snapshots that pin the bytes instead of waiting for them. */
  endSnapshots?: boolean
}

/** The record of an erasure. */
export interface Receipt {
  erasure: number
  seqs: number[]
  finished: boolean
  /** Milliseconds since 1970; 0 while it is not finished. */
  time: number
  reason: string
  actor: string
  /** 'files': no file of the database holds the bytes. 'device': overwritten in place, too. */
  assurance: string
  entriesWiped: number
  segmentsRewritten: number
  bytesDestroyed: number
}

export interface Changed {
  /** The entry of the change; 0 if there was nothing to do. */
  at: number
  /** The messages concerned, ascending. Of a fact: those that were derived again. */
  seqs: number[]
  receipt?: Receipt
}

export interface LogOptions {
  /** The first seq told, inclusive; in reverse the highest (1, or in reverse the last). */
  from?: number
  /** The last seq told, inclusive; in reverse the lowest. */
  to?: number
  reverse?: boolean
  limit?: number
  /** Also changes, and messages that are gone. */
  changes?: boolean
  /** Bodies as they are stored, and not as transforms make them. */
  stored?: boolean
  /** Go on with what is appended, until the loop is left, the database is closed or `signal` is aborted. */
  live?: boolean
  signal?: AbortSignal
}

export interface ReadOptions {
  /** Who has no key leaves it out: undefined is refused, as it would be all rows. The same holds for prefix. */
  exact?: Key
  prefix?: Key
  /** Inclusive. */
  from?: Key
  /** Exclusive. */
  to?: Key
  reverse?: boolean
  limit?: number
  /** Also the messages of the rows, from the same moment (false). Not of groups. */
  messages?: boolean
}

export interface Row {
  key: Key
  /** 0 of an aggregate and a fold. */
  seq: number
  /** The answer of an aggregate or a fold. */
  value?: any
  /** With `messages`. */
  message?: Message
}

export interface Difference {
  /** The entry that made it. */
  at: number
  /** Everything that was told before is void: `added` is the whole part of the view. */
  fresh: boolean
  gone: Row[]
  added: Row[]
}

export interface Link { source: KeyElement, relation: KeyElement, target: KeyElement, seq: number }
export interface SearchHit {
  seq: number
  score: number
  snippet: string
  /** Where the words stand in the snippet: [begin, end) in UTF-16 units. */
  marks: Array<[number, number]>
}

/** A view of a database by its name. Reads are of the moment in which they begin. */
export interface View {
  readonly name: string
  read (options?: ReadOptions): AsyncIterableIterator<Row>
  /** All rows at once. */
  all (options?: ReadOptions): Promise<Row[]>
  /** The first row of exactly this key, with its message; undefined if there is none. */
  get (key: Key): Promise<Row | undefined>
  count (options?: ReadOptions): Promise<number>
  /** The rows, and then what each commit makes of them. A slow reader is told afresh. */
  follow (options?: Pick<ReadOptions, 'exact' | 'prefix' | 'from' | 'to'> & { signal?: AbortSignal }): AsyncIterableIterator<Difference>
  /** Of a view of links. */
  links (query?: { from?: KeyElement, to?: KeyElement, relation?: KeyElement, limit?: number }): Promise<Link[]>
  walk (query: {
    start: KeyElement, direction?: 'forward' | 'backward', relation?: KeyElement, depth?: number, limit?: number
  }): Promise<{ steps: Array<{ node: KeyElement, distance: number, via: KeyElement }>, complete: boolean }>
  /** Of a view for searching. */
  search (text: string, options?: { limit?: number, snippetBytes?: number }): Promise<{ hits: SearchHit[], total: number }>
  info (): Promise<ViewInfo>
  drop (): Promise<void>
}

/** Called by a map function for each row. A value is for aggregates: a number, or what has an order. */
export type Emit = (key: Key, value?: null | boolean | number | string) => void
/** A view written in JavaScript. The same app, version and name must stand for the same function. */
export interface CodeView extends WithProgress {
  app: string
  version?: number
  /** What it is, without what it maps: { kind: 'index' } by default. */
  definition?: object
  /**
   * Gives the rows of a message. Must give the same whenever it is called. When it throws, the message
   * gives no row to this view, and the view counts an error.
   */
  map: (message: Message, emit: Emit) => void
  /** Told what `map` threw, and on which message. */
  onError?: (error: unknown, message: Message) => void
  /** When the application was away: wait for the view to catch up, or read on (wait). */
  whenBehind?: 'wait' | 'read-on'
}

export interface ViewInfo {
  name: string
  kind: 'index' | 'aggregate' | 'fold' | 'links' | 'search'
  app: string
  version: number
  definition: any
  loaded: boolean
  since: number
  rows: number
  segments: number
  bytes: number
  errors: number
  state: 'current' | 'behind' | 'building' | 'waits for its code' | 'damaged'
  pending: number
}

export interface Fact {
  collection: string
  key: Key
  /** Empty for a secret one: secrets stay out of JavaScript's memory. */
  value: Buffer
  secret: boolean
  at: number
}
export interface NewFact { collection: string, key: Key, value?: any, secret?: boolean }

export interface FeedOptions {
  /** Only messages with rows in this view, whose keys begin with `prefix`. */
  view?: string
  prefix?: Key
  /** Only messages that meet this condition (docs/design/where.md). */
  where?: string
  /** Where to begin, if nothing is known of the consumer: with everything, or with what comes now. */
  start?: 'first' | 'now' | number
  /** End when everything has been told, instead of waiting for more. */
  once?: boolean
  /** Ends it also while it waits. */
  signal?: AbortSignal
}
export interface FeedChange {
  kind: 'added' | 'changed' | 'gone'
  seq: number
  key: string
  /** Undefined when it is gone. */
  message?: Message
  rows: Key[]
}
export interface FeedBatch {
  changes: FeedChange[]
  /** For keeping with what is made of the batch. */
  position: string
}
/** The change feed: what an index outside has to do to stay equal. */
export interface Feed extends AsyncIterableIterator<FeedBatch> {
  /** Of a named consumer: keeps the position behind the last batch. Inside the loop: behind it the feed has ended. */
  acknowledge (): Promise<void>
  /** Where it stands, also before the first batch. Who keeps positions keeps this one first. */
  position (): Promise<string>
}

export interface VerifyReport {
  equal: boolean
  position: number
  views: Array<{ name: string, checked: boolean, rows: number, differences: string[] }>
  problems: string[]
  needlesSearched: number
  needlesFound: string[]
}

export interface Stats {
  last: number
  live: number
  deleted: number
  erased: number
  held: number
  changes: number
  logBytes: number
  viewBytes: number
  durability: string
  assurance: string
}

export interface ImportOptions extends WithProgress {
  format?: 'flumelog-offset' | 'jsonl'
  /** Where in a message its application key stands ('/key'); '' for none. */
  keyPointer?: string
  untilDamage?: boolean
  readmit?: boolean
}
export interface ImportReport {
  appended: number
  exists: number
  refused: number
  deletedInSource: number
  resumedAt: number
  end: number
  size: number
  damage?: string
}

/** Scuttlebutt: what opens, edits, completes and blocks. Needs `open(path, { scuttlebutt: true })`. */
export interface Scuttlebutt {
  /** A secret file's text, with one key pair or several. */
  addIdentity (secretFile: string | Uint8Array, options?: ChangeOptions): Promise<Changed>
  /** A group's key: 32 bytes, base64, hexadecimal, or JSON that has it. */
  addGroupKey (key: string | Uint8Array, options?: ChangeOptions): Promise<Changed>
  /** The key that a feed boxes to itself with. */
  addOwnKey (key: string | Uint8Array, options?: ChangeOptions): Promise<Changed>
  keys (): Promise<Array<{ kind: 'identity' | 'group' | 'own', id: string }>>
  dropKey (id: string, options?: ChangeOptions): Promise<Changed>
  eraseKey (id: string, options?: ChangeOptions): Promise<Changed>
  addBlob (id: string, bytes: Uint8Array, options?: ChangeOptions): Promise<Changed>
  dropBlob (id: string, options?: ChangeOptions): Promise<Changed>
  /** What the feed said leaves, what it says later stays out. With `erase` for ever. `at` is 0 if it was blocked before. */
  block (feed: string, options?: ChangeOptions & { erase?: boolean }): Promise<Changed>
  unblock (feed: string, options?: ChangeOptions): Promise<Changed>
}

/** One database. Every call after close() rejects with code 'closed'. */
export class Database {
  private constructor ()
  readonly path: string
  readonly readOnly: boolean
  /** The last entry of the log, 0 if there is none. Never decreases. */
  readonly last: number
  readonly scuttlebutt: Scuttlebutt

  /** Resolves with the seq when the message is as durable as was asked for. Appends that wait at the same time share one sync. */
  append (value: any, options?: AppendOptions): Promise<number>
  /** One atomic batch; the seqs follow each other from the one it resolves with. */
  appendAll (messages: NewMessage[], options?: { readmit?: boolean }): Promise<number>
  /** Of a batch those whose keys are free. */
  offer (messages: NewMessage[], options?: { readmit?: boolean }): Promise<{ first: number, outcomes: Offered[] }>
  flush (): Promise<void>

  /** The entry of a seq, or the newest message of an application key; undefined if there is none. */
  get (which: number | string, options?: { stored?: boolean }): Promise<Message | undefined>
  /** The same at once, on this thread: a look into memory that is mapped, or one read from the disk. */
  getNow (which: number | string, options?: { stored?: boolean }): Message | undefined
  log (options?: LogOptions): AsyncIterableIterator<Message>

  delete (which: Selector, options?: ChangeOptions): Promise<Changed>
  restore (which: Selector, options?: ChangeOptions): Promise<Changed>
  erase (which: Selector, options?: ChangeOptions): Promise<Changed>
  replace (seq: number, value: any, options?: ChangeOptions): Promise<Changed>
  /**
   * Has every view map these messages again, also those of applications that are away, when they are back. For map
   * functions that look at something else: they give other rows now.
   */
  rederive (which: Selector, options?: ChangeOptions): Promise<Changed>
  hold (which: Selector, options?: ChangeOptions): Promise<Changed>
  release (which: Selector, options?: ChangeOptions): Promise<Changed>
  select (which: Selector, options?: { deletedToo?: boolean }): Promise<number[]>
  receipts (): Promise<Receipt[]>

  putFact (fact: NewFact, options?: ChangeOptions): Promise<Changed>
  putFacts (facts: NewFact[], options?: ChangeOptions): Promise<Changed>
  dropFact (collection: string, key: Key, options?: ChangeOptions): Promise<Changed>
  eraseFact (collection: string, key: Key, options?: ChangeOptions): Promise<Changed>
  facts (collection?: string): Promise<Fact[]>

  /**
   * Declared in JSON (docs/design/views.md), or written as a function. Nothing to do if it is there; another definition
   * of the name, or another version, is built beside it and takes its place.
   */
  addView (name: string, view: object | CodeView, options?: WithProgress): Promise<View>
  /** Several declared ones in one pass over the log. */
  addViews (views: Record<string, object>, options?: WithProgress & { app?: string }): Promise<void>
  view (name: string): View
  views (): Promise<ViewInfo[]>
  apps (): Promise<Array<{ name: string, views: string[], opened: number }>>
  forgetApp (app: string, options?: { dryRun?: boolean }): Promise<{ dropped: string[], kept: string[] }>
  /** Resolves when no view that has its code here is behind. */
  waitForViews (options?: WithProgress): Promise<void>

  /** Without a name for who keeps `position`; by a name the database keeps what was acknowledged. */
  feed (options?: FeedOptions & { position?: string }): Feed
  consumer (name: string, options?: FeedOptions): Feed
  consumers (): Promise<Array<{ name: string, lag: number, position: string }>>
  dropConsumer (name: string): Promise<void>

  why (seq: number): Promise<any>
  verify (options?: WithProgress): Promise<VerifyReport>
  stats (): Promise<Stats>
  importFile (path: string, options?: ImportOptions): Promise<ImportReport>
  mergeViews (): Promise<void>
  /** Called with the last seq whenever it has moved. Answers with what ends that. What it throws is an uncaught exception. */
  onEntry (listener: (last: number) => void): () => void
  /** Ends every iterator, waits for what is under way, and lets go of the files. */
  close (): Promise<void>
}
