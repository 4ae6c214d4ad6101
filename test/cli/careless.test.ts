import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ebb, runsOf, tempHome } from '../support/cli';

const FAST = ['--speed', '2000'] as const;
let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

function run(...words: readonly string[]) {
  return ebb(home.path, 'local', 'run', ...FAST, ...words);
}

function request(detail: unknown): string {
  const path = join(home.path, '..', 'request.json');
  writeFileSync(path, JSON.stringify(detail));
  return path;
}

describe('who is careless with the command line', () => {
  it('is told the modes that there are', async () => {
    const { code, out } = await run('--mode', 'ebs');
    expect(code).toBe(1);
    expect(out).toContain('mode must be one of taskExport, autoExport, onlyEBS, got "ebs"');
  });

  it('is told that an array does not fit a volume, and what does', async () => {
    const { code, out } = await run('--array', '5', '--command', 'true');
    expect(code).toBe(1);
    expect(out).toContain('a gp3 volume fits one host at a time');
    expect(out).toContain('or use taskExport or autoExport');
  });

  it('who changes one job of several is told to change the file', async () => {
    const [a, b] = ['a', 'b'].map((name) => ({ name, command: ['true'] }));
    const path = request({ mode: 'taskExport', jobs: [a, b] });
    const { code, said } = await run('--request', path, '--array', '4');
    expect(code).toBe(2);
    expect(said).toContain('--array need a request with one job: change the file instead');
  });

  it('gets the size of --array where the request has another', async () => {
    const jobs = [{ name: 'a', arraySize: 3, command: ['true'] }];
    const path = request({ mode: 'taskExport', jobs });
    expect((await run('--request', path, '--array', '2')).code).toBe(0);
    expect(runsOf(home.path)).toMatchObject([{ jobs: { a: { arraySize: 2 } } }]);
  });

  it.each([
    ['taskExport', true, 'got true for taskExport'],
    ['autoExport', false, 'got false for autoExport'],
  ])('is told when autoExport contradicts mode %s', async (mode, autoExport, said) => {
    const jobs = [{ name: 'a', command: ['true'] }];
    const { code, out } = await run(
      '--request',
      request({ mode, parameters: { autoExport }, jobs }),
    );
    expect(code).toBe(1);
    expect(out).toContain(`autoExport must agree with the mode, ${said}: leave it out`);
  });

  it('who mixes the modes is told whose parameter it is', async () => {
    const jobs = [{ name: 'a', command: ['true'] }];
    const parameters = { ebsSizeGb: 20 };
    const { out } = await run('--request', request({ mode: 'taskExport', parameters, jobs }));
    expect(out).toContain('ebsSizeGb is not a parameter of taskExport, only of onlyEBS');
  });
});

describe('a place that cannot be a local cloud', () => {
  it.each(['run', 'up'])('since nobody may write there is a sentence for %s', async (command) => {
    if (!existsSync('/sys')) {
      process.stderr.write('not run: a place that nobody may write to needs a /sys\n');
      return;
    }
    const { code, said } = await ebb('/sys/ebbtide', 'local', command);
    expect({ code, said }).toEqual({
      code: 2,
      said: 'ebb: /sys/ebbtide is not yours to write to: --home DIR gives you a place of your own',
    });
  });

  it.each(['run', 'up', 'leaks --act'])(
    'since it is a file is a sentence for %s',
    async (words) => {
      mkdirSync(join(home.path, '..'), { recursive: true });
      writeFileSync(home.path, 'mine');
      const { code, said } = await ebb(home.path, 'local', ...words.split(' '));
      expect(code).toBe(2);
      expect(said).toContain(home.path);
      expect(said).toContain('--home DIR');
    },
  );
});
