import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ebb, ended, eventually, jobProcesses, startEbb, tempHome } from '../support/cli';

const MARK = 'ebbtide-session-test';
const AT_WORK = ['--speed', '300', '--command', `echo at work; sleep 500; : ${MARK}`] as const;
let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

/** A job that is at work, in a process of its own. */
async function jobAtWork() {
  const child = startEbb(home.path, 'local', 'run', ...AT_WORK);
  await eventually('the job is at work', () => child.text().includes('| at work'));
  return child;
}

describe('a local cloud that is stopped', () => {
  it('by Ctrl-C leaves no process and no volume, and its run is cancelled', async () => {
    const child = await jobAtWork();
    child.kill('SIGINT');
    expect(await ended(child)).toBe(130);
    expect(jobProcesses(home.path)).toBe(0);
    expect(readdirSync(join(home.path, 'volumes'))).toEqual([]);
    expect((await ebb(home.path, 'local', 'list')).out).toContain('cancelled');
    expect(existsSync(join(home.path, 'lock'))).toBe(false);
  });

  it('by kill -9 leaves no process, and the next one says what it found and tidies up', async () => {
    const child = await jobAtWork();
    child.kill('SIGKILL');
    await ended(child);
    await eventually('its processes are gone', () => jobProcesses(home.path) === 0);
    const next = await ebb(home.path, 'local', 'list');
    expect(next.said).toContain('was killed');
    expect(next.said).toMatch(/Found run-\w+, running when its session ended/);
    expect(next.said).toMatch(/run-\w+ is cancelled and its storage is gone/);
    expect(next.code).toBe(0);
    expect(readdirSync(join(home.path, 'volumes'))).toEqual([]);
  });

  it('with its hosts killed too: the next one kills what its jobs left', async () => {
    const child = await jobAtWork();
    // The host of the job is a child of the session; the job itself is a grandchild.
    const hosts = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
    for (const pid of hosts.split(' ')) process.kill(Number(pid), 'SIGKILL');
    child.kill('SIGKILL');
    await ended(child);
    const next = await ebb(home.path, 'local', 'run', '--speed', '300', '--command', 'true');
    expect(next.said).toMatch(/Found \d processes of its jobs: killed/);
    await eventually('its processes are gone', () => jobProcesses(home.path) === 0);
  });

  it('in the middle of a write forgets the half line and nothing else', async () => {
    await ebb(home.path, 'local', 'run', '--speed', '300', '--command', 'true');
    const [id] = readdirSync(join(home.path, 'runs'));
    const path = join(home.path, 'runs', id ?? '');
    const { appendFileSync } = await import('node:fs');
    appendFileSync(path, '{"type":"RequestRefu');
    expect((await ebb(home.path, 'local', 'list')).out).toContain('succeeded');
  });
});

describe('two local clouds at once', () => {
  it('in one place: the second says who holds it', async () => {
    const child = await jobAtWork();
    const second = await ebb(home.path, 'local', 'run', '--command', 'true');
    expect(second.code).toBe(2);
    expect(second.said).toContain(`in use by process ${child.pid} (ebb local run`);
    const reset = await ebb(home.path, 'local', 'reset');
    expect(reset.code).toBe(2);
    child.kill('SIGINT');
    await ended(child);
  });
});

describe('ebb local', () => {
  it('lists and shows what was, and resets it', async () => {
    await ebb(home.path, 'local', 'run', '--speed', '300', '--command', 'true');
    const list = await ebb(home.path, 'local', 'list', '--json');
    const [run] = JSON.parse(list.out);
    expect(run).toMatchObject({ status: 'succeeded', mode: 'onlyEBS' });
    const shown = await ebb(home.path, 'local', 'show', run.id);
    expect(shown.out).toContain('RunSucceeded');
    expect(shown.out).toContain('storage on AWS');
    expect(await ebb(home.path, 'local', 'reset')).toMatchObject({ code: 0 });
    expect(existsSync(home.path)).toBe(false);
  });

  it('says what to type when there is nothing yet', async () => {
    expect((await ebb(home.path, 'local', 'list')).said).toContain('Start one: npx ebb local run');
  });

  it.each([
    [['local', 'rum'], 'Did you mean run?'],
    [['local', 'run', '--speed', '0'], '--speed must be a number from 1 to 10000, got 0'],
    [['local', 'run', '--interrupt', 'many'], '--interrupt must be a whole number'],
    [['local', 'run', '--interrupt-after', '20'], 'like 20s, got 20'],
    [
      ['local', 'demo', '--mode', 'ebs'],
      '--mode must be one of onlyEBS, taskExport, autoExport, got ebs',
    ],
    [['local', 'run', '--array', '1'], '--array must be a whole number from 2 to 10000, got 1'],
    [['local', 'cancel', 'nobody'], 'there is no run nobody'],
    [['local', 'run', '--request', '/no/such/file'], 'cannot read --request'],
    [['local', 'show', 'nobody'], 'there is no run nobody'],
  ])('answers wrong usage, %j, with 2 and a sentence', async (words, said) => {
    const called = await ebb(home.path, ...words);
    expect(called.code).toBe(2);
    expect(called.said).toContain(said);
  });
});
