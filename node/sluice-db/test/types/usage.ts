// Compiled and never run: what a program in TypeScript may write, and what it may not.
import {
  open, Database, Message, SluiceError,
  type Changed, type CodeView, type Difference, type ErrorCode, type Feed, type FeedBatch, type ImportReport, type Key,
  type Link, type OpenOptions, type Progress, type Receipt, type Row, type SearchHit, type Selector, type Stats,
  type VerifyReport, type View, type ViewInfo
} from '../..'

const options: OpenOptions = { durability: 'interval', syncIntervalMs: 100, scuttlebutt: true }

async function logs (db: Database): Promise<number> {
  const seq: number = await db.append({ author: '@ada' }, { key: 'k', readmit: true })
  await db.append(new Uint8Array(3))
  await db.appendAll([{ value: 1, key: 'a' }, { value: Buffer.from('b') }])
  const { first, outcomes } = await db.offer([{ value: 1 }])
  if (outcomes[0] === 'kept_out') return first
  const message: Message | undefined = await db.get('k', { stored: true })
  const now: Message | undefined = db.getNow(seq)
  const abort = new AbortController()
  for await (const { seq, state, body, value } of db.log({ live: true, from: db.last, signal: abort.signal })) {
    const bytes: Buffer = body
    if (state === 'erased' || bytes.length > 0) return seq + value.n
  }
  return message?.seq ?? now?.seq ?? 0
}

async function changes (db: Database): Promise<void> {
  const selectors: Selector[] = [1, [1, 2], { keys: ['k'] }, { view: 'v', prefix: ['@ada'] }, { where: '/a=1' }]
  for (const which of selectors) await db.delete(which, { reason: 'asked to', actor: 'ada' })
  const { at, seqs, receipt }: Changed = await db.erase([1], {
    endSnapshots: true, onProgress: ({ done, total }: Progress) => { console.log(done / total) }
  })
  const kept: Receipt[] = await db.receipts()
  console.log(at, seqs, receipt?.assurance, kept.length, await db.select(3, { deletedToo: true }))
  await db.replace(1, { text: 'x' })
  await db.rederive([1, 2], { reason: 'a key came' })
  await db.putFact({ collection: 'names', key: ['@ada'], value: { name: 'Ada' } })
  for (const { key, value } of await db.facts('names')) console.log(key, value.length)
  await db.scuttlebutt.block('@ada', { erase: true, reason: 'asked to' })
  for (const { kind, id } of await db.scuttlebutt.keys()) if (kind === 'identity') await db.scuttlebutt.dropKey(id)
}

const words: CodeView = {
  app: 'notes',
  version: 2,
  definition: { kind: 'aggregate', value: { count: true, sum: true } },
  whenBehind: 'read-on',
  map: ({ seq, key, value, body }, emit) => {
    emit([value.text, 1, 2n, null, true, [key]])
    emit([seq], body.length)
    // @ts-expect-error Objects are no keys.
    emit([{ text: 'x' }])
  },
  onError: (error, { seq }) => { console.log(error, seq) }
}

async function views (db: Database): Promise<void> {
  const view: View = await db.addView('words', words)
  await db.addView('posts', { kind: 'index', key: ['/author'] }, { onProgress: () => {} })
  await db.addViews({ a: { kind: 'search', text: ['/text'] } }, { app: 'notes' })
  const from: Key = ['a', 1]
  for await (const { key, seq, value, message } of view.read({ from, reverse: true, messages: true })) {
    console.log(key[0], seq, value, message?.body)
  }
  const row: Row | undefined = await view.get(['a'])
  const count: number = await view.count({ prefix: [] })
  for await (const { fresh, gone, added } of view.follow({ prefix: ['a'] })) console.log(fresh, gone, added)
  const difference: IteratorResult<Difference> = await view.follow().next()
  const links: Link[] = await view.links({ from: 'a', limit: 1 })
  const { steps, complete } = await view.walk({ start: 'a', direction: 'backward', depth: 2 })
  const { hits }: { hits: SearchHit[], total: number } = await view.search('loom')
  const info: ViewInfo = await view.info()
  console.log(row, count, difference.done, links[0]?.source, steps, complete, hits[0]?.marks[0]?.[0], info.state === 'behind')
  // @ts-expect-error A key is an array.
  await view.all({ exact: 'a' })
}

async function feeds (db: Database): Promise<void> {
  const feed: Feed = db.consumer('search', { view: 'posts', start: 'now', once: true })
  for await (const { changes, position } of feed) {
    for (const { kind, seq, message } of changes) if (kind !== 'gone') console.log(seq, message?.value, position)
    await feed.acknowledge()
  }
  const batch: IteratorResult<FeedBatch> = await db.feed({ position: await feed.position() }).next()
  console.log(batch.done, await db.consumers())
}

async function care (db: Database): Promise<void> {
  const report: VerifyReport = await db.verify()
  const stats: Stats = await db.stats()
  const imported: ImportReport = await db.importFile('log.offset', { format: 'flumelog-offset', untilDamage: true })
  const stop = db.onEntry(last => { console.log(last) })
  stop()
  console.log(report.equal, stats.live, imported.damage)
}

function codeOf (error: unknown): ErrorCode | undefined {
  // @ts-expect-error There is no such code.
  if (error instanceof SluiceError && error.code === 'enoent') return undefined
  return error instanceof SluiceError ? error.code : undefined
}

// @ts-expect-error Databases come from open().
export const made = new Database()
// @ts-expect-error Messages come from a database.
export const told = new Message()

export async function program (): Promise<void> {
  const db = await open('forum.sluice', options)
  try {
    await logs(db)
    await changes(db)
    await views(db)
    await feeds(db)
    await care(db)
  } catch (error) {
    console.log(codeOf(error))
  }
  // @ts-expect-error What a database is called does not change.
  db.path = 'other'
  await db.close()
}
