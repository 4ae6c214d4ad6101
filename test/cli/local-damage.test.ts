import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { takeLock } from '../../sim/lock';
import { ebb, tempHome } from '../support/cli';

const ROOT = join(__dirname, '..', '..');
let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

function run(command: string, ...words: readonly string[]) {
  return ebb(home.path, 'local', 'run', '--speed', '300', '--command', command, ...words);
}

function onlyFile(folder: string): string {
  const [name = ''] = readdirSync(join(home.path, folder));
  return join(home.path, folder, name);
}

describe('a local cloud', () => {
  it('keeps what a failed run left, however fast a later session goes', async () => {
    const path = join(home.path, '..', 'request.json');
    writeFileSync(path, JSON.stringify({ parameters: { retainHours: 1 } }));
    await run('echo precious > result; exit 3', '--request', path);
    // Two hours of the local cloud.
    await ebb(home.path, 'local', 'run', '--speed', '10000', '--command', 'sleep 0.8');
    const data = join(onlyFile('volumes'), 'data', 'result');
    expect(readFileSync(data, 'utf8')).toBe('precious\n');
    expect((await ebb(home.path, 'local', 'list')).out).toContain('retained');
  });

  it('goes on after the line that a kill tore off', async () => {
    await run('true');
    const journal = onlyFile('runs');
    truncateSync(journal, statSync(journal).size - 25);
    const next = await run('true');
    expect(next.code).toBe(0);
    expect(next.said).toMatch(/Found run-\w+, releasing when its session ended/);
    const list = await ebb(home.path, 'local', 'list');
    expect(list.out.match(/succeeded/g)).toHaveLength(2);
  });

  it('says which file is damaged beyond that, and what to do', async () => {
    await run('true');
    writeFileSync(onlyFile('runs'), 'not a journal\n');
    const next = await run('true');
    expect(next.code).toBe(1);
    expect(next.said).toMatch(/run-\w+\.jsonl is no journal of a run: .*; move that file away/);
    expect((await ebb(home.path, 'local', 'reset')).code).toBe(0);
  });

  it('gives a dead lock to one of those who want it, and to no other', () => {
    mkdirSync(home.path, { recursive: true });
    const dead = { pid: 4_000_000, identity: '1', since: '', doing: 'a session that died' };
    writeFileSync(join(home.path, 'lock'), JSON.stringify(dead));
    const first = takeLock(home.path, { doing: 'first', now: new Date(0) });
    expect(first).toMatchObject({ ok: true, left: dead });
    const second = takeLock(home.path, { doing: 'second', now: new Date(0) });
    expect(second).toMatchObject({ ok: false, holder: { doing: 'first' } });
  });

  it('says so when it cannot write down what happened', async () => {
    const script = `rm -r '${join(home.path, 'runs')}'`;
    const { code, said } = await run(script);
    expect(code).toBe(1);
    expect(said).toMatch(/could not do its work: ENOENT/);
  });
});

describe('a job', () => {
  it('is quoted to its last word, with or without a newline', async () => {
    const { said, out } = await run('printf "last words without newline"; exit 3');
    expect(said).toContain('| last words without newline');
    expect(out).toContain('| last words without newline');
  });

  it('is quoted after a line that is longer than anybody reads', async () => {
    const { out } = await run(
      'head -c 200000 /dev/zero | tr "\\0" x; echo; echo REAL ERROR; exit 1',
    );
    expect(out).toContain('| REAL ERROR');
  });

  it('may leave links that lead nowhere, in its storage and in its bucket', async () => {
    const prefix = '"$EBBTIDE_LOCAL_BUCKETS/$S3_BUCKET_NAME/$EBBTIDE_RESULTS_PREFIX"';
    const script = `ln -sf loop loop; mkdir -p ${prefix}; ln -sf nowhere ${prefix}/broken; [ "$EBBTIDE_ATTEMPT" = 2 ] || { trap "" TERM; sleep 60; }`;
    const hard = ['--interrupt', '1', '--interrupt-after', '300ms'];
    const { code, out } = await run(script, ...hard);
    expect(out).toContain('1 survived');
    expect(code).toBe(0);
  });

  it('that fills the disk fails, and the next run finds its way', async () => {
    const script = `
      mount -t tmpfs -o size=16m tmpfs "$1" || exit 99
      cd "$2"
      local_home="$1/.ebbtide"
      ebb() { ${process.execPath} --import tsx cli/main.ts local "$@" --home "$local_home" 2>&1; }
      ebb run --speed 300 --command 'dd if=/dev/zero of=big bs=64k'; echo "first: $?"
      ebb list
      ebb reset; echo "reset: $?"
    `;
    mkdirSync(home.path, { recursive: true });
    const words = ['-rm', 'sh', '-c', script, 'sh', home.path, ROOT];
    const { status, stdout } = spawnSync('unshare', words, { encoding: 'utf8' });
    if (status === 99 || status === null || status === 1) {
      process.stderr.write(
        'not run: a full disk needs unshare and tmpfs, which are not to be had here\n',
      );
      return;
    }
    expect(stdout).toContain('No space is left on the disk of');
    expect(stdout).toContain('first: 1');
    expect(stdout).toMatch(/retained .*job main failed with exit code 1/);
    expect(stdout).toContain('reset: 0');
    expect(stdout).not.toContain('    at ');
  });
});

describe('what a run says in the end', () => {
  function request(detail: object): string {
    const path = join(home.path, '..', 'request.json');
    writeFileSync(path, JSON.stringify(detail));
    return path;
  }

  it('is where the volume is that was to be kept', async () => {
    const detail = {
      parameters: { deleteEbs: false },
      jobs: [{ name: 'main', command: ['true'] }],
    };
    const path = request(detail);
    const { out } = await ebb(home.path, 'local', 'run', '--speed', '300', '--request', path);
    expect(out).toMatch(/Its storage is yours now, as the run asked: .*volumes\/vol-\w+\/data/);
    expect(out).not.toContain('is gone');
    expect(existsSync(join(onlyFile('volumes'), 'data'))).toBe(true);
  });

  it('is not that an interruption was survived when it was the last word', async () => {
    const path = request({
      parameters: { jobResubmissions: 0 },
      jobs: [{ name: 'main', command: ['sleep', '60'], attempts: 1 }],
    });
    const words = ['--speed', '300', '--interrupt-after', '300ms', '--request', path];
    const { out } = await ebb(home.path, 'local', 'run', ...words);
    expect(out).toContain('1, 0 survived: 1 with warning');
    expect(out).toContain('interrupted to the end of 1 submission of 1 attempt: exit code 143');
  });
});
