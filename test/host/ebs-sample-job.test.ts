import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../sim/random';
import {
  checkpointLine,
  compareCheckpoint,
  expectedCheckpoint,
  expectedSha256,
} from '../../sim/sample-job';
import { ending, sleep, until } from '../support/job-process';

const ROOT = join(__dirname, '..', '..');
const JOB = join(ROOT, 'docker', 'ebs', 'write_delete_test_ebs_with_s3.sh');
const PATH = process.env.PATH ?? '/usr/bin:/bin';
const MIB = 1024 * 1024;
const TERM_MS_MAX = 700;

let place: string;
const storage = (...names: string[]) => join(place, 'data', ...names);
const result = (name: string) => join(place, 'buckets', 'results', 'runs', 'run-1', name);

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'ebbtide sample job '));
  for (const folder of ['data', 'bin', 'buckets/results']) {
    mkdirSync(join(place, folder), { recursive: true });
  }
  command('aws', `exec '${process.execPath}' '${join(ROOT, 'sim', 'local-aws.js')}' "$@"`);
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

/** Puts a command of our own before the real one of that name. */
function command(name: string, script: string) {
  writeFileSync(join(place, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

type Settings = Record<string, string>;

function environment(settings: Settings) {
  return {
    PATH: `${join(place, 'bin')}:${PATH}`,
    EBBTIDE_STORAGE_DIR: storage(),
    EBBTIDE_LOCAL_BUCKETS: join(place, 'buckets'),
    S3_BUCKET_NAME: 'results',
    EBBTIDE_RESULTS_PREFIX: 'runs/run-1/',
    FILE_COUNT: '3',
    FILE_SIZE: '2M',
    ...settings,
  };
}

/** Starts an attempt in a process group of its own, as a container would be. */
function start(settings: Settings = {}, wrapper: string[] = []) {
  const [program = JOB, ...args] = [...wrapper, JOB];
  const job = spawn(program, args, { env: environment(settings), detached: true });
  return { job, ended: ending(job, 1000) };
}

const attempt = (settings: Settings = {}) => start(settings).ended;

/** Sends SIGTERM to the job alone, as the container runtime does, and sees how long it takes. */
async function terminate({ job, ended }: ReturnType<typeof start>) {
  const at = Date.now();
  job.kill('SIGTERM');
  const end = await ended;
  expect(end).toMatchObject({ code: 143, signal: null });
  expect(Date.now() - at).toBeLessThan(TERM_MS_MAX);
  return end;
}

function expectResult(index: number, sizeMib: number) {
  const name = `checkpoint-${String(index).padStart(4, '0')}`;
  expect(readFileSync(result(name)).equals(expectedCheckpoint(index, sizeMib))).toBe(true);
  expect(readdirSync(result('..'), { recursive: true })).toEqual(['run-1', `run-1/${name}`]);
  expect(readdirSync(storage())).toEqual([name]);
}

describe('left alone, the sample job', () => {
  test('writes its checkpoints, keeps the last one and copies it to the bucket', async () => {
    const { code, out, lastError } = await attempt();
    expect({ code, lastError }).toEqual({ code: 0, lastError: '' });
    const throughput = '\\d+\\.\\d MiB/s';
    expect(out).toMatch(
      new RegExp(
        [
          '^attempt 1: starting from nothing',
          `checkpoint 1 of 3: wrote 2 MiB at ${throughput}`,
          `checkpoint 2 of 3: wrote 2 MiB at ${throughput}`,
          `checkpoint 3 of 3: wrote 2 MiB at ${throughput}`,
          'upload: ./checkpoint-0003 to s3://results/runs/run-1/checkpoint-0003',
          'done: checkpoint-0003 is at s3://results/runs/run-1/checkpoint-0003\n$',
        ].join('\n'),
      ),
    );
    expectResult(3, 2);
  });

  test('only copies again when it is called again', async () => {
    await attempt();
    rmSync(result('checkpoint-0003'));
    const { code, out } = await attempt({ EBBTIDE_ATTEMPT: '2', AWS_BATCH_JOB_ATTEMPT: '1' });
    expect(code).toBe(0);
    expect(out).toMatch(/^attempt 2 \(1 in Batch\): going on after checkpoint 3\nupload/);
    expectResult(3, 2);
  });

  test('pretends to compute for as long as it is told', async () => {
    const at = Date.now();
    await attempt({ FILE_COUNT: '2', WORK_SECONDS: '0.35' });
    expect(Date.now() - at).toBeGreaterThan(700);
    expectResult(2, 2);
  });

  test('never touches a file that is not its own', async () => {
    const foreign = [
      'notes.txt',
      'checkpoint-0000',
      'checkpoint-0001.bak',
      'checkpoint-00011',
      '.checkpoint-0002.partial-03-mib',
      '.checkpoint-0002.partial-1-mib.swp',
      '.checkpoint-0002.partial-one-mib',
      '.checkpoint-0099.partial-1-mib',
    ];
    for (const name of foreign) writeFileSync(storage(name), name);
    const before = foreign.map((name) => statSync(storage(name)).ctimeMs);
    expect(await attempt()).toMatchObject({ code: 0 });
    expect(readdirSync(storage()).sort()).toEqual([...foreign, 'checkpoint-0003'].sort());
    expect(foreign.map((name) => statSync(storage(name)).ctimeMs)).toEqual(before);
    expect(foreign.map((name) => readFileSync(storage(name), 'utf8'))).toEqual(foreign);
  });
});

describe('on SIGTERM, the sample job', () => {
  test('leaves with 143 in mid-file, and the next attempt writes only what was not saved', async () => {
    command(
      'dd',
      `echo "$*" >>'${join(place, 'dd.log')}'; exec "$(PATH='${PATH}' command -v dd)" "$@"`,
    );
    const slow = { FILE_COUNT: '2', FILE_SIZE: '8M', WORK_SECONDS: '1' };
    const first = start(slow);
    await until('three MiB are saved', () => existsSync(storage('.checkpoint-0001.partial-3-mib')));
    const { out } = await terminate(first);
    const [name = ''] = readdirSync(storage());
    const saved = Number(/^\.checkpoint-0001\.partial-(\d)-mib$/.exec(name)?.[1]);
    expect(out).toMatch(/interrupted: checkpoint 0 and \d MiB of the next are saved\n$/);
    expect(existsSync(result(''))).toBe(false);

    writeFileSync(join(place, 'dd.log'), '');
    const again = { ...slow, WORK_SECONDS: '0', EBBTIDE_ATTEMPT: '2', EBBTIDE_INTERRUPTED: '1' };
    const second = await attempt(again);
    expect(second.code).toBe(0);
    expect(second.out).toContain(
      `attempt 2, interrupted before: starting from nothing, with ${saved} of 8 MiB of checkpoint 1\n`,
    );
    expect(second.out).toContain(`checkpoint 1 of 2: wrote ${8 - saved} MiB at`);
    const seeks = readFileSync(join(place, 'dd.log'), 'utf8')
      .match(/(?<= seek=)\d+/g)
      ?.map(Number);
    expect(seeks).toEqual([...range(saved, 8), ...range(0, 8)]);
    expectResult(2, 8);
  });

  test('does not wait for what it is computing', async () => {
    const first = start({ WORK_SECONDS: '600' });
    await until('it has started', () => readdirSync(storage()).length === 0, 500);
    await sleep(150);
    await terminate(first);
    expect(readdirSync(storage())).toEqual([]);
  });

  test('does not wait for a write either', async () => {
    command('dd', `case "$*" in *seek=1*) exec sleep 60 ;; esac\nPATH='${PATH}' exec dd "$@"`);
    const first = start();
    await until('one MiB is saved', () => existsSync(storage('.checkpoint-0001.partial-1-mib')));
    await sleep(50);
    await terminate(first);
    rmSync(join(place, 'bin', 'dd'));
    expect((await attempt()).out).toContain('with 1 of 2 MiB of checkpoint 1');
    expectResult(3, 2);
  });

  test('leaves with 143 in the middle of the copy, and the next attempt copies again', async () => {
    const real = readFileSync(join(place, 'bin', 'aws'), 'utf8').replace('#!/bin/sh\n', '');
    command('aws', `: >'${join(place, 'copying')}'; exec sleep 60`);
    const first = start();
    await until('it copies', () => existsSync(join(place, 'copying')));
    await terminate(first);
    expect(existsSync(result(''))).toBe(false);
    command('aws', real);
    const second = await attempt({ EBBTIDE_ATTEMPT: '2', EBBTIDE_INTERRUPTED: 'true' });
    expect(second.out).toMatch(/^attempt 2, interrupted before: going on after checkpoint 3\nup/);
    expectResult(3, 2);
  });

  test('leaves with 143 when the whole process group is told, whenever that is', async () => {
    for (let ms = 20; ms <= 200; ms += 20) {
      const { job, ended } = start({ FILE_COUNT: '9', FILE_SIZE: '4M', WORK_SECONDS: '0.5' });
      await until('it has started', () => isReady(job), 1000);
      await sleep(ms);
      process.kill(-Number(job.pid), 'SIGTERM');
      const { lastError, ...left } = await ended;
      expect(left).toMatchObject({ code: 143, signal: null });
      // The shell may see its child die of the signal before it hears its own.
      expect(['', 'Terminated']).toContain(lastError);
    }
    await attempt({ FILE_COUNT: '9', FILE_SIZE: '4M' });
    expectResult(9, 4);
  });
});

describe('after kill -9, the sample job reaches the same result', () => {
  test('whichever step it was, before or after it', async () => {
    const small = { FILE_COUNT: '2', FILE_SIZE: '1M', PATH: `${join(place, 'deadly')}:${PATH}` };
    killAtStep(['dd', 'mv', 'rm', 'sync', 'aws']);
    let kills = 0;
    for (const when of ['KILL_BEFORE', 'KILL_AFTER']) {
      for (let step = 1; ; step += 1) {
        const killed = await attempt({ ...small, [when]: String(step) });
        if (killed.code === 0) break;
        expect(killed.signal).toBe('SIGKILL');
        kills += 1;
        expect(await attempt(small)).toMatchObject({ code: 0 });
        expectResult(2, 1);
        empty(storage());
        empty(result(''));
      }
      empty(storage());
      empty(result(''));
    }
    expect(kills).toBe(2 * 14);
  });

  test('while the copy is under way', async () => {
    const settings = { FILE_COUNT: '1', FILE_SIZE: '64M' };
    const incoming = join(place, 'buckets', '.incoming');
    for (let kills = 0; kills < 3; kills += 1) {
      const { job, ended } = start(settings);
      const isCopying = () => existsSync(incoming) && readdirSync(incoming).length > kills;
      await until('it copies', isCopying);
      process.kill(-Number(job.pid), 'SIGKILL');
      expect(await ended).toMatchObject({ signal: 'SIGKILL' });
      expect(existsSync(result('checkpoint-0001'))).toBe(false);
    }
    expect(await attempt(settings)).toMatchObject({ code: 0 });
    expect(compareCheckpoint(result('checkpoint-0001'), 1, 64).ok).toBe(true);
  });

  test('however often, at moments drawn from a seed', async () => {
    const random = seededRandom(4711).next;
    const settings = { FILE_COUNT: '3', FILE_SIZE: '6M', WORK_SECONDS: '0.4' };
    let kills = 0;
    for (let done = false; !done; ) {
      const { job, ended } = start(settings);
      const timer = setTimeout(
        () => process.kill(-Number(job.pid), 'SIGKILL'),
        60 + random() * 240,
      );
      const end = await ended;
      clearTimeout(timer);
      done = end.code === 0;
      if (!done) kills += 1;
      expect(done || end.signal === 'SIGKILL').toBe(true);
    }
    expect(kills).toBeGreaterThan(8);
    expectResult(3, 6);
  });

  test('from a partial file whose end is torn', async () => {
    const content = expectedCheckpoint(1, 4);
    const partial = storage('.checkpoint-0001.partial-2-mib');
    writeFileSync(partial, content.subarray(0, 2 * MIB));
    appendFileSync(partial, Buffer.alloc(MIB + 12_345, 'torn'));
    const { out } = await attempt({ FILE_COUNT: '1', FILE_SIZE: '4M' });
    expect(out).toContain('wrote 2 MiB at');
    expectResult(1, 4);
  });

  test.each([
    ['has lost its end', (file: string) => truncateSync(file, 2 * MIB - 1)],
    ['holds something else', (file: string) => writeFileSync(file, Buffer.alloc(2 * MIB))],
    ['is longer than a checkpoint', (file: string) => renameTo(file, 'partial-5-mib')],
  ])('from the start, if a partial file counts more than it holds: it %s', async (_, damage) => {
    const partial = storage('.checkpoint-0001.partial-2-mib');
    writeFileSync(partial, expectedCheckpoint(1, 5).subarray(0, 2 * MIB));
    damage(partial);
    const { out } = await attempt({ FILE_COUNT: '1', FILE_SIZE: '4M' });
    expect(out).toContain('wrote 4 MiB at');
    expectResult(1, 4);
  });

  test('not if the checkpoint before was replaced: the chain is read from the storage', async () => {
    writeFileSync(storage('checkpoint-0002'), Buffer.alloc(2 * MIB, 'foreign '));
    expect(await attempt()).toMatchObject({
      code: 1,
      lastError: 'checkpoint-0002 does not begin with its line, so this job did not write it',
    });
    const other = String(checkpointLine(2)).replace(/[0-9a-f]{64}/, 'a'.repeat(64));
    writeFileSync(storage('checkpoint-0002'), Buffer.alloc(2 * MIB, other));
    expect(await attempt()).toMatchObject({ code: 0 });
    expect(compareCheckpoint(result('checkpoint-0003'), 3, 2).ok).toBe(false);
  });
});

describe('when it cannot go on, the sample job', () => {
  test.each([
    ['FILE_COUNT', '0', 'a whole number from 1 to 9999'],
    ['FILE_COUNT', '08', 'a whole number from 1 to 9999'],
    ['FILE_SIZE', '2', 'a whole number followed by M or G'],
    ['FILE_SIZE', '1.5G', 'a whole number followed by M or G'],
    ['FILE_SIZE', 'a[$(touch x)]M', 'a whole number followed by M or G'],
    ['WORK_SECONDS', '-1', 'seconds with at most three decimals'],
    ['S3_BUCKET_NAME', '', 'must name the bucket'],
    ['EBBTIDE_RESULTS_PREFIX', 'runs/run-1', 'must end with a slash'],
    ['EBBTIDE_STORAGE_DIR', '/nowhere', 'a directory that this job may enter'],
  ])('refuses %s=%s with 2 and a sentence', async (name, value, rule) => {
    const { code, lastError } = await attempt({ [name]: value });
    expect(code).toBe(2);
    expect(lastError).toContain(value ? `${name} is '${value}', but must` : `${name} is not set`);
    expect(lastError).toContain(rule);
    expect(readdirSync(storage())).toEqual([]);
  });

  test('refuses storage that holds checkpoints of another size', async () => {
    await attempt();
    const { code, lastError } = await attempt({ FILE_SIZE: '4M' });
    expect(code).toBe(2);
    expect(lastError).toContain("FILE_SIZE is '4M', but checkpoint-0003 has another size");
    expectResult(3, 2);
  });

  test('fails with 1 when the storage is full, and says so last', async () => {
    // A mount that lives and dies with the process, and needs no root where the kernel allows it.
    const inSmallStorage = [
      'unshare',
      '--map-root-user',
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs -o size=3m tmpfs "$EBBTIDE_STORAGE_DIR" && exec "$0"',
    ];
    const [unshare = '', ...args] = inSmallStorage;
    const probe = spawnSync(unshare, [...args, 'true'], { env: environment({}) });
    if (probe.status !== 0) {
      process.stderr.write('NOT TESTED: a full disk, since no small file system can be mounted\n');
      return;
    }
    const { code, out, lastError } = await start({ FILE_SIZE: '2M' }, inSmallStorage).ended;
    expect(out).toMatch(/checkpoint 1 of 3: .*\n$/);
    expect(lastError).toBe(
      `no space left in '${storage()}': 1 of 2 MiB of the checkpoint are saved, but two files of FILE_SIZE must fit`,
    );
    expect(code).toBe(1);
    expect(existsSync(result(''))).toBe(false);
  });

  test('fails with 1 when a write fails for another reason, and goes on when it is gone', async () => {
    const limited = ['bash', '-c', 'ulimit -f 1536 && exec "$0"'];
    const { code, lastError } = await start({}, limited).ended;
    expect(code).toBe(1);
    expect(lastError).toBe('cannot write .checkpoint-0001.partial-1-mib, dd says why above');
    expect((await attempt()).out).toContain('with 1 of 2 MiB of checkpoint 1');
    expectResult(3, 2);
  });

  test('does not count a slice that came out short', async () => {
    command('yes', `PATH='${PATH}' exec yes "$@" | head -c 1000000`);
    const { code, lastError } = await attempt();
    expect(code).toBe(1);
    expect(lastError).toContain('is too short');
    rmSync(join(place, 'bin', 'yes'));
    await attempt();
    expectResult(3, 2);
  });

  test('fails with the code of the copy when the copy fails', async () => {
    rmSync(join(place, 'buckets', 'results'), { recursive: true });
    const { code, lastError } = await attempt();
    expect(code).toBe(1);
    expect(lastError).toBe(
      'checkpoint-0003 could not be copied to s3://results/runs/run-1/, aws left with 1',
    );
    command('aws', 'exit 37');
    expect(await attempt()).toMatchObject({ code: 37 });
  });
});

describe('the expected checkpoint', () => {
  test('is what the README says, computed by other means', () => {
    const script = [
      'set -e; h=$(printf %s ebbtide | sha256sum | cut -c 1-64)',
      'for i in 1 2 3; do h=$(printf %s "$h $i" | sha256sum | cut -c 1-64); done',
      `printf 'checkpoint %04d %s%47s\\n' 3 "$h" ''`,
    ].join('\n');
    const { stdout } = spawnSync('sh', ['-c', script]);
    expect(stdout.length).toBe(128);
    expect(checkpointLine(3).equals(stdout)).toBe(true);
    expect(readFileSync(join(ROOT, 'docker', 'ebs', 'README.md'), 'utf8')).toContain(
      `printf 'checkpoint %04d %s%47s\\n' "$i" "$hash" ''`,
    );
  });

  test('is compared byte for byte, however large', () => {
    const file = storage('file');
    writeFileSync(file, expectedCheckpoint(7, 3));
    const sha256 = expectedSha256(7, 3);
    expect(compareCheckpoint(file, 7, 3)).toEqual({ ok: true, bytes: 3 * MIB, sha256 });
    expect(compareCheckpoint(file, 7, 2)).toMatchObject({
      reason: 'it goes on after 2097152 bytes',
    });
    expect(compareCheckpoint(file, 7, 4)).toMatchObject({ reason: 'it ends after 3145728 bytes' });
    const changed = expectedCheckpoint(7, 3);
    changed[2_500_000] = 0;
    writeFileSync(file, changed);
    expect(compareCheckpoint(file, 7, 3)).toMatchObject({ reason: 'byte 2500000 differs' });
  });
});

/** Commands that kill the whole job before or after they do their work, counted from its start. */
function killAtStep(tools: string[]) {
  mkdirSync(join(place, 'deadly'));
  const target = `'${join(place, 'buckets', 'results')}/runs/run-1'`;
  const copy = `mkdir -p ${target} && cp "$4" '${place}/copy' && command mv '${place}/copy' ${target}/"$4"`;
  for (const tool of tools) {
    const script = [
      '#!/bin/sh',
      `count='${place}'/count-$PPID`,
      'n=0; [ ! -e "$count" ] || read -r n <"$count"',
      'n=$((n + 1)); echo "$n" >"$count"',
      '[ "$n" != "$KILL_BEFORE" ] || kill -9 0',
      `PATH='${PATH}'`,
      tool === 'aws' ? copy : `command ${tool} "$@"`,
      'status=$?',
      '[ "$n" != "$KILL_AFTER" ] || kill -9 0',
      'exit "$status"',
    ];
    writeFileSync(join(place, 'deadly', tool), script.join('\n'), { mode: 0o755 });
  }
}

function empty(folder: string) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function renameTo(file: string, end: string) {
  writeFileSync(file.replace(/partial-\d-mib$/, end), expectedCheckpoint(1, 5));
  rmSync(file);
}

function range(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** bash has installed its handler: before that, SIGTERM ends it as it ends any program. */
function isReady(job: ChildProcess): boolean {
  const status = `/proc/${job.pid}/status`;
  if (!existsSync(status)) return true;
  const caught = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(status, 'utf8'))?.[1] ?? '0';
  const isBash = /^Name:\s*(bash|write_delete)/m.test(readFileSync(status, 'utf8'));
  return isBash && (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n;
}
