import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../cli/io';
import { main } from '../../cli/main';

/** A terminal that only writes down. */
export interface FakeIo extends Io {
  readonly outText: () => string;
  readonly sayText: () => string;
}

export function fakeIo(): FakeIo {
  const [outs, says]: [string[], string[]] = [[], []];
  return {
    out: (text) => void outs.push(text),
    say: (text) => void says.push(text),
    status: () => {},
    style: (_style, text) => text,
    outText: () => outs.join('\n'),
    sayText: () => says.join('\n'),
  };
}

/** A folder for a local cloud, with a space in its name as people have them; gone with the test. */
export function tempHome(): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'ebb tide '));
  return {
    path: join(folder, 'local cloud'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What a command left: its exit code, its data, and what it said. */
export interface Called {
  readonly code: number;
  readonly out: string;
  readonly said: string;
}

/** Calls `ebb` in this process, waits made short. */
export async function ebb(home: string, ...words: readonly string[]): Promise<Called> {
  const io = fakeIo();
  const code = await main([...words, '--home', home], io);
  return { code, out: io.outText(), said: io.sayText() };
}

/** Starts `ebb` as a process of its own, for what only a process can suffer. */
export function startEbb(
  home: string,
  ...words: readonly string[]
): ChildProcess & { text(): string } {
  const root = join(__dirname, '..', '..');
  const args = ['--import', 'tsx', join(root, 'cli', 'main.ts'), ...words, '--home', home];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  }
  return Object.assign(child, { text: () => chunks.join('') });
}

/** Waits until something is so, looking often; throws with what it waited for when it never is. */
export async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000; tries += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never came to be: ${what}`);
}

/** How many processes of a home's jobs are alive, wherever they have gone. */
export function jobProcesses(home: string): number {
  const mark = `EBBTIDE_LOCAL_BUCKETS=${join(home, 'buckets')}\0`;
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
    } catch {
      return false;
    }
  }).length;
}
