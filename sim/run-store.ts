import { type ActiveStatus, type Run, type RunEvent, replay } from '../events';
import { type Change, type Look, lookOf, type Runs } from '../handlers';

/** What the table's stream shows, in the order in which it was written. */
export type StreamRecord =
  | { readonly kind: 'event'; readonly event: RunEvent }
  | { readonly kind: 'look'; readonly look: Look };

/** The table of runs in memory, with what a test or a person may ask of it besides. */
export interface MemoryRuns extends Runs {
  all(): readonly Run[];
  /** Called with each record of the stream, once, after it was written. */
  onRecord(listener: (record: StreamRecord) => void): void;
  /** Puts a run back from its journal, with a look that is due at once, where somebody is to look at all. */
  load(events: readonly RunEvent[], isLookedAt?: (run: Run) => boolean): void;
}

interface Options {
  /** Makes a change durable before it counts. When it throws, nothing was written. */
  readonly beforeCommit?: (change: Change) => void;
}

/** The twin of the DynamoDB table: items are copies, a commit is whole or not at all, reads are consistent. */
export function memoryRuns({ beforeCommit }: Options = {}): MemoryRuns {
  const runs = new Map<string, string>();
  const journals = new Map<string, RunEvent[]>();
  const looks = new Map<string, Look>();
  const storages = new Map<string, string>();
  const listeners: ((record: StreamRecord) => void)[] = [];

  const read = (id: string): Run | undefined => {
    const item = runs.get(id);
    return item === undefined ? undefined : JSON.parse(item);
  };
  const emit = (record: StreamRecord) => {
    for (const listener of listeners) listener(structuredClone(record));
  };
  const setLook = (id: string, look: Look | undefined) => {
    if (!look) return void looks.delete(id);
    looks.set(id, structuredClone(look));
    emit({ kind: 'look', look });
  };

  function write(change: Change): void {
    const { run, events } = change;
    beforeCommit?.(change);
    runs.set(run.id, JSON.stringify(run));
    journals.set(run.id, [...(journals.get(run.id) ?? []), ...structuredClone(events)]);
    for (const storageId of change.storageIds) storages.set(storageId, run.id);
    for (const event of events) emit({ kind: 'event', event });
    setLook(run.id, change.look);
  }

  return {
    get: async (id) => read(id),
    async commit(change) {
      if ((read(change.run.id)?.seq ?? 0) !== change.before) return false;
      write(change);
      return true;
    },
    runOf: async (storageId) => storages.get(storageId),
    journal: async (id) => structuredClone(journals.get(id) ?? []),
    look: async (id) => structuredClone(looks.get(id)),
    async lookAgain({ runId, status, lookAt, now }) {
      const look = looks.get(runId);
      if (look?.status !== status) return;
      if (look.lookAt > now && look.lookAt <= lookAt) return;
      setLook(runId, { ...look, lookAt });
    },
    looks: async (status: ActiveStatus, dueBy) =>
      [...looks.values()]
        .filter((look) => look.status === status && (dueBy === undefined || look.lookAt <= dueBy))
        .map((look) => structuredClone(look)),

    all: () => [...runs.keys()].flatMap((id) => read(id) ?? []),
    onRecord: (listener) => void listeners.push(listener),
    load(events, isLookedAt = () => true) {
      const run = replay(events);
      if (!run) return;
      runs.set(run.id, JSON.stringify(run));
      journals.set(run.id, [...events]);
      if (run.storage.id) storages.set(run.storage.id, run.id);
      const look = lookOf(run, Date.parse(run.since));
      if (look && isLookedAt(run)) looks.set(run.id, { ...look, lookAt: run.since });
    },
  };
}
