import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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
 * whose it was. Atomic: the lock appears with its content, by a hard link, and only one at a time
 * may take a dead one away.
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
      clearDead(path);
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

/** Gives up one's own lock. */
function release(path: string, me: Holder): void {
  const now = readHolder(path);
  if (now?.pid === me.pid && now.identity === me.identity) rmSync(path, { force: true });
}

/** Nobody needs longer than this between two system calls. */
const CLEARING_MS_MAX = 5000;

/**
 * Takes a dead lock away, if it is still there and dead when nobody else may do the same: between a
 * look at it and its removal, another process could have put its own, living one there.
 */
function clearDead(path: string): void {
  const clearing = `${path}.clearing`;
  try {
    closeSync(openSync(clearing, 'wx'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const stat = statSync(clearing, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > CLEARING_MS_MAX) rmSync(clearing, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    return;
  }
  const holder = readHolder(path);
  if (!holder || !isAlive(holder)) rmSync(path, { force: true });
  rmSync(clearing, { force: true });
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
function identityOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold anything, even parentheses.
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie is dead, whoever has not taken notice yet.
    return state === 'Z' || state === 'X' ? 'dead' : (fields[18] ?? '');
  } catch {
    return '';
  }
}
