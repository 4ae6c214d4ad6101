import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../sim/random';
import { checkpointLine, compareCheckpoint, expectedSha256 } from '../../sim/sample-job';
import { ending, sleep, until } from '../support/job-process';

const DOCKER = join(__dirname, '..', '..', 'docker');
const JOB = join(DOCKER, 'lustre', 'write_delete_test_lustre.sh');
const PATH = process.env.PATH ?? '/usr/bin:/bin';
/** All that the job finds: an image with less than this has no coreutils. */
const TOOLS =
  'bash cut date dd df dirname du head mkdir mv rm sha256sum sleep stat sync tail yes'.split(' ');

let place: string;
const storage = (...names: string[]) => join(place, 'scratch', ...names);

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'ebbtide lustre job '));
  for (const folder of ['scratch', 'bin', 'tools']) mkdirSync(join(place, folder));
  for (const tool of TOOLS) symlinkSync(real(tool), join(place, 'tools', tool));
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

function real(tool: string): string {
  const found = PATH.split(':').find((folder) => existsSync(join(folder, tool)));
  if (!found) throw new Error(`${tool} is not in PATH, but the sample job needs it`);
  return join(found, tool);
}

/** Puts a command of our own before the real one of that name. */
function command(name: string, script: string) {
  writeFileSync(join(place, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

type Settings = Record<string, string>;

/** Starts an attempt in a process group of its own, as a container would be. */
function start(settings: Settings = {}, wrapper: string[] = [], script = JOB) {
  const [program = script, ...args] = [...wrapper, script];
  const env = {
    PATH: `${join(place, 'bin')}:${join(place, 'tools')}`,
    EBBTIDE_STORAGE_DIR: storage(),
    FILE_COUNT: '3',
    FILE_SIZE: '2M',
    ...settings,
  };
  const job = spawn(program, args, { env, detached: true });
  return { job, ended: ending(job, 10_000) };
}

const attempt = (settings: Settings = {}) => start(settings).ended;
const asTask = (task: number) => ({ AWS_BATCH_JOB_ARRAY_INDEX: String(task) });
const folderOf = (task: number) => `task-${String(task).padStart(4, '0')}`;

/** The last checkpoint, byte for byte, and nothing beside it. */
function expectResult(index: number, sizeMib: number, task?: number) {
  const folder = task === undefined ? storage() : storage(folderOf(task));
  const name = `checkpoint-${String(index).padStart(4, '0')}`;
  const bytes = sizeMib * 1024 * 1024;
  const sha256 = expectedSha256(index, sizeMib, task);
  const compared = compareCheckpoint(join(folder, name), index, sizeMib, task);
  expect(compared).toEqual({ ok: true, bytes, sha256 });
  expect(readdirSync(folder)).toEqual([name]);
}

describe('left alone, the Lustre sample job', () => {
  test('writes its checkpoints with bash and coreutils, and leaves the last one', async () => {
    const { code, out, lastError } = await attempt();
    expect({ code, lastError }).toEqual({ code: 0, lastError: '' });
    expect(out.split('\n')).toEqual([
      'attempt 1: starting from nothing',
      ...[1, 2, 3].map((i) =>
        expect.stringMatching(`^checkpoint ${i} of 3: wrote 2 MiB at \\d+\\.\\d MiB/s$`),
      ),
      `done: checkpoint-0003 is in '${storage()}', for the export`,
      '',
    ]);
    expectResult(3, 2);
  });

  test('writes nothing when it is called again', async () => {
    await attempt();
    const before = statSync(storage('checkpoint-0003')).ctimeMs;
    const { code, out } = await attempt({ EBBTIDE_ATTEMPT: '2', AWS_BATCH_JOB_ATTEMPT: '1' });
    expect(code).toBe(0);
    expect(out).toMatch(/^attempt 2 \(1 in Batch\): going on after checkpoint 3\ndone: .*\n$/);
    expect(statSync(storage('checkpoint-0003')).ctimeMs).toBe(before);
    expectResult(3, 2);
  });

  test('finds what it shares with its neighbour beside itself too, as in an image', async () => {
    const script = join(place, 'write_delete_test_lustre.sh');
    copyFileSync(JOB, script);
    const alone = await start({}, ['bash'], script).ended;
    expect(alone.code).toBe(1);
    expect(alone.lastError).toContain('checkpoints.sh: No such file');
    copyFileSync(join(DOCKER, 'checkpoints.sh'), join(place, 'checkpoints.sh'));
    expect(await start({}, [], script).ended).toMatchObject({ code: 0 });
    expectResult(3, 2);
  });

  test('says how much input it sees, and leaves it alone', async () => {
    const input = storage('in put');
    mkdirSync(join(input, 'deep'), { recursive: true });
    const empty = await attempt({ FILE_COUNT: '1', EBBTIDE_INPUT_DIR: input });
    expect(empty.out).not.toContain('input');
    writeFileSync(join(input, 'one\nname'), 'x'.repeat(1000));
    writeFileSync(join(input, 'deep', '.hidden'), 'x'.repeat(234));
    symlinkSync('/etc/passwd', join(input, 'link'));
    const { code, out, lastError } = await attempt({ EBBTIDE_INPUT_DIR: input });
    expect({ code, lastError }).toEqual({ code: 0, lastError: '' });
    expect(out.split('\n')[1]).toBe(`input: 2 files, 1234 bytes in '${input}'`);
    expect(readdirSync(storage())).toEqual(['checkpoint-0003', 'in put']);
    const gone = await attempt({ EBBTIDE_INPUT_DIR: '/nowhere' });
    expect(gone).toMatchObject({ code: 0, lastError: '' });
  });

  test.each([
    ['alone', {}, '.'],
    ['as a task', asTask(7), 'task-0007'],
  ])('never touches a file that is not its own: %s', async (_, settings, folder) => {
    const foreign = [
      'notes.txt',
      'checkpoint-0000',
      'checkpoint-0001.bak',
      '.checkpoint-0002.partial-03-mib',
      '.checkpoint-0099.partial-1-mib',
    ];
    const others = [
      'task-7',
      'task-00007',
      'task-0008/checkpoint-0003',
      'task-0070/checkpoint-0003',
    ];
    for (const name of ['task-0007', 'task-0008', 'task-0070']) mkdirSync(storage(name));
    const files = [...foreign.map((name) => join(folder, name)), ...others];
    for (const name of files) writeFileSync(storage(name), name);
    const before = files.map((name) => statSync(storage(name)).ctimeMs);
    expect(await attempt(settings)).toMatchObject({ code: 0 });
    expect(files.map((name) => statSync(storage(name)).ctimeMs)).toEqual(before);
    expect(files.map((name) => readFileSync(storage(name), 'utf8'))).toEqual(files);
    const left = readdirSync(storage(folder)).filter((name) => !name.startsWith('task-'));
    expect(left).toEqual([...foreign, 'checkpoint-0003'].sort());
  });
});

describe('when it is interrupted, the Lustre sample job', () => {
  test('leaves with 143 on SIGTERM, and the next attempt writes only what was not saved', async () => {
    const slow = { ...asTask(7), FILE_COUNT: '2', FILE_SIZE: '8M', WORK_SECONDS: '1' };
    const first = start(slow);
    const partial = storage('task-0007', '.checkpoint-0001.partial-3-mib');
    await until('three MiB are saved', () => existsSync(partial));
    first.job.kill('SIGTERM');
    const { code, out } = await first.ended;
    expect(code).toBe(143);
    expect(out).toMatch(/interrupted: checkpoint 0 and \d MiB of the next are saved\n$/);
    const left = readdirSync(storage('task-0007'));
    const saved = Number(/^\.checkpoint-0001\.partial-(\d)-mib$/.exec(left.join())?.[1]);

    const again = { WORK_SECONDS: '0', EBBTIDE_ATTEMPT: '2', EBBTIDE_INTERRUPTED: '1' };
    const second = await attempt({ ...slow, ...again });
    expect(second.code).toBe(0);
    expect(second.out).toContain(
      `attempt 2 of task 7, interrupted before: starting from nothing, with ${saved} of 8 MiB of`,
    );
    expect(second.out).toContain(`checkpoint 1 of 2: wrote ${8 - saved} MiB at`);
    expectResult(2, 8, 7);
  });

  test('does not wait for its look at the input', async () => {
    command('du', `: >'${join(place, 'looking')}'; exec sleep 60`);
    mkdirSync(storage('in'));
    writeFileSync(storage('in', 'file'), 'x');
    const first = start({ EBBTIDE_INPUT_DIR: storage('in') });
    await until('it looks', () => existsSync(join(place, 'looking')));
    const at = Date.now();
    first.job.kill('SIGTERM');
    expect((await once(first.job, 'exit'))[0]).toBe(143);
    expect(Date.now() - at).toBeLessThan(700);
    process.kill(-Number(first.job.pid), 'SIGKILL');
    await first.ended;
  });

  test('goes on after kill -9, whichever step it was, before or after it', async () => {
    const deadly = `${join(place, 'deadly')}:${join(place, 'tools')}`;
    const small = { ...asTask(7), FILE_COUNT: '1', FILE_SIZE: '1M' };
    killAtStep(['dd', 'mkdir', 'mv', 'rm', 'sync']);
    let kills = 0;
    for (const when of ['KILL_BEFORE', 'KILL_AFTER']) {
      for (let step = 1; ; step += 1) {
        const killed = await attempt({ ...small, PATH: deadly, [when]: String(step) });
        if (killed.code === 0) break;
        expect(killed.signal).toBe('SIGKILL');
        kills += 1;
        expect(await attempt(small)).toMatchObject({ code: 0 });
        expectResult(1, 1, 7);
        rmSync(storage('task-0007'), { recursive: true });
      }
      rmSync(storage('task-0007'), { recursive: true });
    }
    expect(kills).toBe(2 * 9);
  });

  test('goes on after kill -9, however often, at moments drawn from a seed', async () => {
    const random = seededRandom(815).next;
    const settings = { FILE_COUNT: '2', FILE_SIZE: '2M', WORK_SECONDS: '0.3' };
    let kills = 0;
    for (let done = false; !done; ) {
      const { job, ended } = start(settings);
      const kill = () => process.kill(-Number(job.pid), 'SIGKILL');
      const timer = setTimeout(kill, 120 + random() * 220);
      const end = await ended;
      clearTimeout(timer);
      done = end.code === 0;
      if (!done) kills += 1;
      expect(done || end.signal === 'SIGKILL').toBe(true);
    }
    expect(kills).toBeGreaterThan(2);
    expectResult(2, 2);
  });
});

describe('the tasks of an array', () => {
  test('share a directory: three of eight are killed and called again, and all are right', async () => {
    const settings = { FILE_COUNT: '3', FILE_SIZE: '2M', WORK_SECONDS: '0.4' };
    const tasks = [0, 1, 2, 3, 4, 5, 6, 7];
    const victims = [1, 4, 6];
    const random = seededRandom(12).next;
    // The victims are slower, so that none of them is done before it is killed.
    const first = tasks.map((task) => {
      const pace = victims.includes(task) ? { WORK_SECONDS: '1.6' } : {};
      return start({ ...settings, ...asTask(task), ...pace });
    });
    const hasSaved = (task: number) =>
      existsSync(storage(folderOf(task))) &&
      readdirSync(storage(folderOf(task))).some((name) => /^checkpoint|partial-[1-9]/.test(name));
    await until('all tasks have saved something', () => tasks.every(hasSaved));
    for (const task of victims) {
      await sleep(random() * 60);
      process.kill(-Number(first[task]?.job.pid), 'SIGKILL');
    }
    const ends = await Promise.all(first.map(({ ended }) => ended));
    const killed = tasks.filter((task) => ends[task]?.signal === 'SIGKILL');
    expect(killed).toEqual(victims);
    expect(tasks.filter((task) => ends[task]?.code === 0)).toEqual([0, 2, 3, 5, 7]);

    const again = await Promise.all(
      victims.map((task) => attempt({ ...settings, ...asTask(task), EBBTIDE_ATTEMPT: '2' })),
    );
    for (const [i, { code, out }] of again.entries()) {
      expect(code).toBe(0);
      expect(out).toMatch(
        new RegExp(`^attempt 2 of task ${victims[i]}: .*(of 2 MiB|after checkpoint)`),
      );
    }
    expect(readdirSync(storage())).toEqual(tasks.map(folderOf));
    for (const task of tasks) expectResult(3, 2, task);
  });

  test('write content of their own, which starts as the README says', async () => {
    const script = [
      `set -e; h=$(printf %s 'ebbtide task 9999' | sha256sum | cut -c 1-64)`,
      'for i in 1 2 3; do h=$(printf %s "$h $i" | sha256sum | cut -c 1-64); done',
      `printf 'checkpoint %04d %s%47s\\n' 3 "$h" ''`,
    ].join('\n');
    const { stdout } = spawnSync('sh', ['-c', script]);
    expect(checkpointLine(3, 9999).equals(stdout)).toBe(true);
    const readme = readFileSync(join(DOCKER, 'lustre', 'README.md'), 'utf8');
    expect(readme).toContain('`ebbtide task 7`');

    await attempt(asTask(9999));
    expectResult(3, 2, 9999);
    const path = storage('task-9999', 'checkpoint-0003');
    for (const other of [undefined, 0, 999]) {
      expect(compareCheckpoint(path, 3, 2, other)).toMatchObject({ ok: false });
    }
    expect(new Set([undefined, 0, 1, 9999].map((task) => expectedSha256(3, 1, task))).size).toBe(4);
  });

  test('do not take up the checkpoints of a job that is none of them', async () => {
    await attempt();
    const { out } = await attempt(asTask(0));
    expect(out).toMatch(/^attempt 1 of task 0: starting from nothing\n/);
    expectResult(3, 2, 0);
    expect(compareCheckpoint(storage('checkpoint-0003'), 3, 2)).toMatchObject({ ok: true });
  });
});

describe('when it cannot go on, the Lustre sample job', () => {
  test.each([
    ['FILE_COUNT', '0', 'a whole number from 1 to 9999'],
    ['FILE_SIZE', '1.5G', 'a whole number followed by M or G'],
    ['WORK_SECONDS', '-1', 'seconds with at most three decimals'],
    ['AWS_BATCH_JOB_ARRAY_INDEX', '-1', 'a whole number from 0 to 9999'],
    ['AWS_BATCH_JOB_ARRAY_INDEX', '07', 'a whole number from 0 to 9999'],
    ['AWS_BATCH_JOB_ARRAY_INDEX', '10000', 'a whole number from 0 to 9999'],
    ['EBBTIDE_STORAGE_DIR', '/nowhere', 'a directory that this job may enter'],
  ])('refuses %s=%s with 2 and a sentence', async (name, value, rule) => {
    const { code, lastError } = await attempt({ ...asTask(1), [name]: value });
    expect(code).toBe(2);
    expect(lastError).toContain(`${name} is '${value}', but must be ${rule}`);
    expect(readdirSync(storage())).toEqual([]);
  });

  test('refuses a directory that holds checkpoints of another size', async () => {
    await attempt();
    const { code, lastError } = await attempt({ FILE_SIZE: '4M' });
    expect(code).toBe(2);
    expect(lastError).toContain("FILE_SIZE is '4M', but checkpoint-0003 has another size");
    expectResult(3, 2);
  });

  test('fails with 1 when something else stands where its folder belongs', async () => {
    writeFileSync(storage('task-0003'), '');
    const { code, lastError } = await attempt(asTask(3));
    expect(code).toBe(1);
    expect(lastError).toContain(`task 3 cannot use '${storage('task-0003')}'`);
  });

  test('fails with 1 when the storage is full, and says so last', async () => {
    // A mount that lives and dies with the process, and needs no root where the kernel allows it.
    const mount = 'mount -t tmpfs -o size=3m tmpfs "$EBBTIDE_STORAGE_DIR" && exec "$0"';
    const inSmallStorage = ['unshare', '--map-root-user', '--mount', 'sh', '-c', mount];
    const [unshare = '', ...args] = inSmallStorage;
    const env = { PATH, EBBTIDE_STORAGE_DIR: storage() };
    if (spawnSync(unshare, [...args, 'true'], { env }).status !== 0) {
      process.stderr.write('NOT TESTED: a full disk, since no small file system can be mounted\n');
      return;
    }
    const { code, out, lastError } = await start({ ...asTask(7), PATH }, inSmallStorage).ended;
    expect(code).toBe(1);
    expect(out).toMatch(/checkpoint 1 of 3: .*\n$/);
    expect(lastError).toBe(
      `no space left in '${storage('task-0007')}': 1 of 2 MiB of the checkpoint are saved, but two files of FILE_SIZE must fit`,
    );
  });
});

/** Commands that kill the whole job before or after they do their work, counted from its start. */
function killAtStep(tools: string[]) {
  mkdirSync(join(place, 'deadly'));
  for (const tool of tools) {
    const script = [
      '#!/bin/sh',
      `count='${place}'/count-$PPID`,
      'n=0; [ ! -e "$count" ] || read -r n <"$count"',
      'n=$((n + 1)); echo "$n" >"$count"',
      '[ "$n" != "$KILL_BEFORE" ] || kill -9 0',
      `'${real(tool)}' "$@"`,
      'status=$?',
      '[ "$n" != "$KILL_AFTER" ] || kill -9 0',
      'exit "$status"',
    ];
    writeFileSync(join(place, 'deadly', tool), script.join('\n'), { mode: 0o755 });
  }
}
