'use strict'
// Folds the rows of a view, [seq, item as JSON], in the order of their messages, and folds them anew when
// one of them has gone or come in the middle.

const { unknown } = require('./keys')

// More would hold up the program when they are folded at once.
const comingMax = 20000

/**
 * `kept`: of kept.js. `stepped(item)` is called for each item that comes at the end, `foldedAnew(value)`
 * after the others. With `undo(acc, item, seq)` what the log itself takes away is taken out of the value,
 * for which the items are kept in memory; it may answer undefined where it cannot.
 */
module.exports = function createFold (kept, { reduce, undo, initial }, { stepped, foldedAnew }) {
  const { signals } = kept.inside
  let acc = initial()
  let folded = 0 // The seq up to which rows have been folded.
  let mustFoldAnew = false
  let hasFolded = false
  let items = new Map() // By seq, as JSON. Empty without undo.
  let changed = [] // Seqs that the log itself has changed.
  const coming = new Map() // What new messages were mapped to, by seq, as JSON; null: to nothing.
  let running = null

  signals.on('changed', whenChanged)
  signals.on('elsewhere', foldAnew)

  return { isCurrent, expect, catchUp, catchUpNow, reset, stop, value: () => acc }

  function isCurrent () {
    return hasFolded && !running && !mustFoldAnew && changed.length === 0 && folded >= kept.since.value
  }

  /** A message has been mapped, and is in the log soon. */
  function expect (seq, text) {
    if (coming.size >= comingMax) coming.clear()
    coming.set(seq, text)
  }

  /** Resolves when all is folded that the view has when this is called. */
  async function catchUp () {
    while (running) await running // It may have begun to read before.
    if (isCurrent()) return
    running = kept.ask(foldAll)
    try {
      await running
    } finally {
      running = null
    }
  }

  /** Folds what has come at the end, without waiting for the view; false where that does not do. */
  function catchUpNow () {
    if (!hasFolded || running || mustFoldAnew || changed.length > 0) return false
    foldComing()
    return isCurrent()
  }

  function foldComing () {
    while (folded < kept.since.value && coming.has(folded + 1)) {
      const text = coming.get(folded + 1)
      coming.delete(folded + 1)
      if (text === null) folded++
      else step(folded + 1, text, false)
    }
  }

  async function foldAll (view) {
    do {
      await undoChanged(view)
      const isAnew = mustFoldAnew
      if (isAnew) begin()
      const last = kept.since.value
      for await (const { key: [seq, text] } of view.read({ from: [folded + 1], to: unknown })) step(seq, text, isAnew)
      folded = Math.max(folded, last)
      hasFolded = true
      if (isAnew && !mustFoldAnew) foldedAnew(acc)
      forgetFolded()
      if (!mustFoldAnew && changed.length === 0) foldComing()
    } while (mustFoldAnew || changed.length > 0)
  }

  function forgetFolded () {
    for (const seq of coming.keys()) {
      if (seq <= folded) coming.delete(seq)
    }
  }

  function step (seq, text, isAnew) {
    const item = JSON.parse(text)
    acc = reduce(acc, item, seq)
    folded = seq
    if (undo) items.set(seq, text)
    if (!isAnew) stepped(item)
  }

  async function undoChanged (view) {
    const seqs = changed
    changed = []
    for (const seq of seqs) {
      if (mustFoldAnew) return
      const [row] = await view.all({ prefix: [seq] })
      const before = items.get(seq)
      const now = row && row.key[1]
      if (before === now) continue
      const without = row ? undefined : undo(acc, JSON.parse(before), seq)
      if (without === undefined) return foldAnew()
      acc = without
      items.delete(seq)
    }
  }

  function whenChanged (seqs) {
    for (const seq of seqs) coming.delete(seq)
    const concerned = seqs.filter(seq => seq <= folded)
    if (undo && !running) changed.push(...concerned)
    else if (concerned.length > 0 || running) foldAnew()
  }

  function foldAnew () {
    mustFoldAnew = true
    coming.clear()
  }

  function begin () {
    mustFoldAnew = false
    changed = []
    acc = initial()
    folded = 0
    items = new Map()
  }

  /** Forgets everything: the view has been dropped. */
  function reset () {
    begin()
    hasFolded = false
    mustFoldAnew = Boolean(running)
  }

  function stop () {
    signals.removeListener('changed', whenChanged)
    signals.removeListener('elsewhere', foldAnew)
  }
}
