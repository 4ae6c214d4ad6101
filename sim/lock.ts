import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who holds the local cloud. */
export interface Holder {
  readonly pid: number;
  /** What the kernel says of the process besides its number, which comes round again. */
  readonly identity: string;
  readonly since: string;
  readonly doing: string;
}

export type Lock =
  | { readonly ok: true; release(): void; readonly left?: Holder }
  | { readonly ok: false; readonly holder: Holder };

const NAME = 'lock';
const TRIES_MAX = 10;

/**
 * Takes the one place in a local cloud. A lock whose holder is dead is taken over, and `left` says
 * whose it was. Atomic: the lock appears with its content, by a hard link.
 */
export function takeLock(home: string, { doing, now }: { doing: string; now: Date }): Lock {
  mkdirSync(home, { recursive: true });
  const path = join(home, NAME);
  const { pid } = process;
  const me: Holder = { pid, identity: identityOf(pid), since: now.toISOString(), doing };
  const mine = join(home, `${NAME}.${pid}`);
  writeFileSync(mine, JSON.stringify(me));
  try {
    let left: Holder | undefined;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (linked(mine, path)) return { ok: true, left, release: () => release(path, me) };
      const holder = readHolder(path);
      if (holder && isAlive(holder)) return { ok: false, holder };
      left = holder ?? left;
      release(path, holder);
    }
    throw new Error(`${path} could not be taken: remove it by hand if no ebb local is running`);
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Who holds the place now; undefined where nobody does, or only a dead process. */
export function holderOf(home: string): Holder | undefined {
  const holder = readHolder(join(home, NAME));
  return holder && isAlive(holder) ? holder : undefined;
}

/** Removes the lock if it is still that holder's: a quicker one may have taken it meanwhile. */
function release(path: string, holder: Holder | undefined): void {
  const now = readHolder(path);
  if (now?.pid === holder?.pid && now?.identity === holder?.identity) rmSync(path, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive({ pid, identity }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is alive too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return identityOf(pid) === identity;
}

/** On Linux, when the process began, in ticks since the host's start; elsewhere the number must do. */
export function identityOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold anything, even parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
