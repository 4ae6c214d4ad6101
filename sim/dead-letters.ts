import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Envelope } from '../events';
import { durably, type Home, writeWhole } from './home';

/** An event that a handler could not deal with, however often it was delivered, and why. */
export interface DeadLetter {
  readonly handler: string;
  readonly envelope: Envelope;
  readonly error: string;
  /** ISO 8601: the last try. */
  readonly time: string;
}

/** Where dead letters wait for somebody. One letter per handler and event, however often it dies. */
export interface DeadLetters {
  save(letter: DeadLetter): void;
  remove(letter: DeadLetter): void;
  read(): readonly DeadLetter[];
}

/** What tells a dead letter from all others. */
export function nameOf({ handler, envelope }: DeadLetter): string {
  return `${handler}.${envelope.id}`;
}

/** Dead letters that last as long as the process. */
export function memoryDeadLetters(): DeadLetters {
  const letters = new Map<string, DeadLetter>();
  return {
    save: (letter) => void letters.set(nameOf(letter), letter),
    remove: (letter) => void letters.delete(nameOf(letter)),
    read: () => [...letters.values()],
  };
}

/** The dead letters of a home, a file each. */
export function deadLettersIn(home: Home): DeadLetters {
  const folder = join(home.path, 'dead-letters');
  const fileOf = (letter: DeadLetter) => join(folder, `${nameOf(letter)}.json`);
  return {
    save: (letter) => durably(home, () => writeWhole(fileOf(letter), JSON.stringify(letter))),
    remove: (letter) => rmSync(fileOf(letter), { force: true }),
    read() {
      if (!existsSync(folder)) return [];
      const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
      return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
    },
  };
}
