import type { Clock, Once } from '../handlers';

interface Record {
  readonly outcome?: string;
  /** While nobody has an outcome: until then another caller is turned away. */
  readonly inProgressUntil: number;
}

/** Thrown in the place of a process that died: nothing after it runs, not even a clean-up. */
export class Crash extends Error {}

/** A Lambda's time limit: a record in progress is believed for so long. */
const IN_PROGRESS_MS = 30_000;
/** Longer than a day on the bus and six hours in Lambda's queue. */
const REMEMBERED_MS = 48 * 3_600_000;

/** The twin of Powertools Idempotency: remembers outcomes by key, turns away who comes meanwhile. */
export function memoryOnce(clock: Clock): Once {
  const records = new Map<string, Record>();
  return async (key, act) => {
    const now = clock.now();
    const record = records.get(key);
    if (record?.outcome !== undefined && now < record.inProgressUntil + REMEMBERED_MS) {
      return JSON.parse(record.outcome);
    }
    if (record && record.outcome === undefined && now < record.inProgressUntil) {
      throw new Error(`${key} is in progress elsewhere`);
    }
    records.set(key, { inProgressUntil: now + IN_PROGRESS_MS });
    try {
      const outcome = await act();
      // JSON knows no undefined; DynamoDB neither.
      const json = JSON.stringify(outcome) ?? 'null';
      records.set(key, { outcome: json, inProgressUntil: clock.now() });
      return JSON.parse(json);
    } catch (error) {
      if (!(error instanceof Crash)) records.delete(key);
      throw error;
    }
  };
}
