import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sightings } from '../handlers/feeders/reaper';
import { writeWhole } from './home';

/** What was seen, by storage id: since when (ISO 8601). */
export interface Seen {
  readonly [storageId: string]: string;
}

/** The twin of the reaper's memory. What it gives with `all` is where another may begin. */
export function memorySightings(initial: Seen = {}): Sightings & { all(): Seen } {
  let seen = new Map(Object.entries(initial));
  return {
    async firstSeen(storageIds, now) {
      seen = new Map(storageIds.map((id) => [id, seen.get(id) ?? now]));
      return new Map(seen);
    },
    all: () => Object.fromEntries(seen),
  };
}

/** The file of a home in which it is remembered what was seen. */
export const SIGHTINGS = 'sightings.json';

/** What was seen, remembered in a file. */
export function sightingsAt(path: string): Sightings {
  return {
    async firstSeen(storageIds, now) {
      const before: Seen = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
      const memory = memorySightings(before);
      const seen = await memory.firstSeen(storageIds, now);
      if (existsSync(dirname(path))) writeWhole(path, JSON.stringify(memory.all()));
      return seen;
    },
  };
}
