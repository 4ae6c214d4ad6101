import { type FsxCore, type LocalAssociation, SECOND } from './fsx-core';
import type { ChangedFile } from './trees';

/** Since when the oldest waiting change has waited; undefined: nothing waits. From `at` on. */
export interface QueueNote {
  readonly at: number;
  readonly oldest: number | undefined;
}

/** The part of the twin that brings changes and deletions to S3 all along. */
export interface AutoExport {
  /** Looks after an association from now on, or no more, as its lifecycle says. */
  watch(association: LocalAssociation): void;
  /** How the queue of a file system has stood, since it came up in this process. */
  history(fileSystemId: string): readonly QueueNote[];
  forget(fileSystemId: string): void;
}

interface Waiting {
  readonly since: number;
  readonly stamp: string;
}

/** A closed file was seen in S3 after 8 to 10 s: two looks, the second of which finds it as the first did. */
const LOOK_MS = { min: 4 * SECOND, max: 5 * SECOND };
/** 213 objects a second were measured. */
const FILES_PER_LOOK = 1000;
/** In place of the stamp of a file that is gone; no file has this one. */
const GONE = 'gone';
/** Days of notes; older ones nobody asks for. */
const NOTES_MAX = 10_000;

/**
 * Auto-export. Nobody can see here when a file is closed: one that two looks found the same is.
 * A file that cannot be brought leaves the queue, as in FSx, where only a log tells of it. A deletion waits as
 * a change does. What was deleted while auto-export was off stays in S3 while it is off.
 */
export function autoExportOf(core: FsxCore): AutoExport {
  const { clock, trees, fate, lookEveryMs } = core.parts;
  const queues = new Map<string, Map<string, Waiting>>();
  const givenUp = new Map<string, string>();
  const notes = new Map<string, QueueNote[]>();
  const looking = new Set<string>();
  /** When the trees told of the first change that no look has seen yet. */
  const toldAt = new Map<string, number>();

  function note(fileSystemId: string): void {
    const waiting = core
      .find(fileSystemId)
      ?.associations.flatMap(({ associationId }) => [
        ...(queues.get(associationId)?.values() ?? []),
      ]);
    const oldest = waiting?.reduce<number | undefined>(
      (least, { since }) => (least === undefined || since < least ? since : least),
      undefined,
    );
    const own = notes.get(fileSystemId) ?? [];
    if (own.length > 0 && own.at(-1)?.oldest === oldest) return;
    notes.set(fileSystemId, [...own.slice(-NOTES_MAX), { at: clock.now(), oldest }]);
  }

  const isOn = ({ fileSystemId, lifecycle, exportEvents }: LocalAssociation) =>
    exportEvents.length > 0 &&
    ['AVAILABLE', 'UPDATING', 'MISCONFIGURED'].includes(lifecycle) &&
    // A file system that is being deleted takes its files along, and what waited is lost.
    core.find(fileSystemId)?.lifecycle === 'AVAILABLE';
  /** As it is now; undefined where it is off by now. */
  const nowOn = (associationId: string) => {
    const association = core.association(associationId);
    return association && isOn(association) ? association : undefined;
  };

  function watch(association: LocalAssociation): void {
    const { associationId, fileSystemId } = association;
    if (!isOn(association)) queues.delete(associationId);
    note(fileSystemId);
    if (isOn(association)) lookSoon(associationId);
  }

  function lookSoon(associationId: string, span = LOOK_MS): void {
    if (looking.has(associationId)) return;
    looking.add(associationId);
    core.later(span, () => {
      looking.delete(associationId);
      // A disk that fails for a moment must not end the looking.
      look(associationId).catch(() => lookSoon(associationId));
    });
  }

  async function look(associationId: string): Promise<void> {
    const association = nowOn(associationId);
    if (!association) return;
    const { fileSystemId } = association;
    const before = queues.get(associationId) ?? new Map<string, Waiting>();
    const newSince = toldAt.get(associationId) ?? clock.now();
    toldAt.delete(associationId);
    const differing = await differingFrom(association);
    if (!nowOn(associationId)) return;
    const queue = new Map<string, Waiting>();
    for (const { path: file, stamp, errorCode } of differing) {
      const isHopeless =
        errorCode !== undefined || givenUp.get(keyOf(fileSystemId, file)) === stamp;
      if (!isHopeless) queue.set(file, { since: before.get(file)?.since ?? newSince, stamp });
    }
    queues.set(associationId, queue);
    note(fileSystemId);
    await bringSettled(association, before, queue);
    const pause = lookEveryMs ?? 2 * LOOK_MS.max;
    if (queue.size > 0) lookSoon(associationId);
    else if (!trees.onChange) lookSoon(associationId, { min: pause, max: pause });
  }

  /** The files that S3 has not as they are here: those that are gone first, as others may stand in their place. */
  async function differingFrom(association: LocalAssociation): Promise<readonly ChangedFile[]> {
    const { fileSystemId, path, exportEvents } = association;
    const changed = await trees.changed(fileSystemId, path);
    if (!exportEvents.includes('DELETED')) return changed;
    const gone = await trees.gone(fileSystemId, path);
    return [...gone.map((file) => ({ path: file, stamp: GONE })), ...changed];
  }

  async function bringSettled(
    { associationId, fileSystemId }: LocalAssociation,
    before: ReadonlyMap<string, Waiting>,
    queue: Map<string, Waiting>,
  ): Promise<void> {
    const settled = [...queue].filter(([file, { stamp }]) => before.get(file)?.stamp === stamp);
    for (const [file, { stamp }] of settled.slice(0, FILES_PER_LOOK)) {
      const association = nowOn(associationId);
      if (!association || association.lifecycle === 'MISCONFIGURED') break;
      const errorCode = fate?.file?.(fileSystemId, file);
      const act = stamp === GONE ? trees.erase : trees.bring;
      const { kind } = errorCode ? { kind: 'failed' } : await act(association, file);
      if (kind === 'failed') givenUp.set(keyOf(fileSystemId, file), stamp);
      if (kind === 'done') givenUp.delete(keyOf(fileSystemId, file));
      queue.delete(file);
    }
    note(fileSystemId);
  }

  trees.onChange?.((fileSystemId) => {
    for (const each of core.find(fileSystemId)?.associations ?? []) {
      if (!isOn(each)) continue;
      if (!toldAt.has(each.associationId)) toldAt.set(each.associationId, clock.now());
      lookSoon(each.associationId);
    }
  });

  return {
    watch,
    history: (fileSystemId) => notes.get(fileSystemId) ?? [],
    forget(fileSystemId) {
      notes.delete(fileSystemId);
      for (const key of [...givenUp.keys()])
        if (key.startsWith(`${fileSystemId}:`)) givenUp.delete(key);
    },
  };
}

function keyOf(fileSystemId: string, path: string): string {
  return `${fileSystemId}:${path}`;
}
