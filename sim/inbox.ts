import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Envelope } from '../events';
import { durably, type Home, writeWhole } from './home';

/** What somebody in another terminal wants to happen in the local cloud that is at work. */
export type Letter =
  /** An event on our bus. */
  | { readonly kind: 'event'; readonly envelope: Envelope }
  /** All dead letters go round again. */
  | { readonly kind: 'redrive'; readonly id: string };

/** Leaves a letter for whoever is at work in this home: whole or not at all. */
export function post(home: Home, letter: Letter): void {
  const id = letter.kind === 'event' ? letter.envelope.id : letter.id;
  durably(home, () => writeWhole(join(folderOf(home), `${id}.json`), JSON.stringify(letter)));
}

/** Takes what has come since the last time, the oldest name first. What is no letter is thrown away. */
export function takeLetters(home: Home): Letter[] {
  const folder = folderOf(home);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    rmSync(path);
    return letterIn(text);
  });
}

function letterIn(text: string): Letter[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

function folderOf({ path }: Home): string {
  return join(path, 'inbox');
}
