import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../cli/io';
import { main } from '../../cli/main';
import type { Run } from '../../events';
import { homeAt } from '../../sim/home';
import { runsIn } from '../../sim/tidy';

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

/** What works in each home: a test that fails in the midst of its work leaves nothing behind. */
const atWork = new Map<string, ChildProcess[]>();

/** A folder for a local cloud, with a space in its name as people have them; gone with the test. */
export function tempHome(): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'ebb tide '));
  const path = join(folder, 'local cloud');
  return {
    path,
    remove() {
      for (const child of atWork.get(path) ?? []) child.kill('SIGKILL');
      atWork.delete(path);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
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
  atWork.set(home, [...(atWork.get(home) ?? []), child]);
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  }
  return Object.assign(child, { text: () => chunks.join('') });
}

/** Waits for the end of a process. Gives its exit code; null where a signal ended it. */
export function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}

/** A local cloud at work in a process of its own, as `ebb local up` keeps it. */
export async function startUp(home: string): Promise<ReturnType<typeof startEbb>> {
  const child = startEbb(home, 'local', 'up', '--speed', '1000');
  await eventually('it is at work', () => child.text().includes('Drop a request'));
  return child;
}

/** The runs of a home, as its journals tell, whoever is at work there. */
export function runsOf(home: string): Run[] {
  return runsIn(homeAt(home));
}

/** The one run of a home. */
export function onlyRun(home: string): Run {
  const [run, ...more] = runsOf(home);
  if (!run || more.length > 0) throw new Error(`one run was wanted, got ${more.length + 1}`);
  return run;
}

/** What a job sees of the storage of a run, on the disk of this machine. */
export function dataOf(home: string, { storage }: Run): string {
  return homeAt(home).dataOf(storage.id ?? 'none');
}

/** Puts a request where `ebb local up` looks for uploads. Gives where its answer will be. */
export function drop(home: string, name: string, content: unknown): string {
  const folder = join(home, 'buckets', 'intake', 'requests');
  mkdirSync(folder, { recursive: true });
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(folder, name), text);
  return join(folder, `${name}.answer.json`);
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
