import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ebb, onlyRun, tempHome } from '../support/cli';

const FAST = ['--speed', '2000'] as const;
let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

function local(command: string, ...words: readonly string[]) {
  return ebb(home.path, 'local', command, ...words);
}

function writeSecret(mode: string, text: string): void {
  mkdirSync(join(home.path, 'secrets'), { recursive: true });
  writeFileSync(join(home.path, 'secrets', `${mode}.json`), text);
}

function request(detail: unknown): string {
  const path = join(home.path, '..', 'request.json');
  writeFileSync(path, JSON.stringify(detail));
  return path;
}

describe('the secret of a mode', () => {
  it('overrides cdk.json and is overridden by the request, its texts converted', async () => {
    const secret = { lustreStorageCapacity: '4800', deleteLustre: 'true', retainHours: '7' };
    writeSecret('taskExport', JSON.stringify(secret));
    const jobs = [{ name: 'main', command: ['true'] }];
    const path = request({ mode: 'taskExport', parameters: { retainHours: 5 }, jobs });
    const { code } = await local('run', ...FAST, '--request', path);
    expect(code).toBe(0);
    const run = onlyRun(home.path);
    expect(run.parameters).toMatchObject({
      lustreStorageCapacity: 4800,
      deleteLustre: true,
      retainHours: 5,
    });
    expect(run.storage.sizeGib).toBe(4800);
    await sourcesAreShown(run.id);
  });

  async function sourcesAreShown(id: string): Promise<void> {
    const { out } = await local('show', id, '--parameters');
    expect(out).toMatch(
      /^lustreStorageCapacity +4800 GiB +the secret .*secrets\/taskExport\.json$/m,
    );
    expect(out).toMatch(/^retainHours +5 hours +the request$/m);
    expect(out).toMatch(/^jobDefinitionVcpus +32 vCPUs +cdk\.json$/m);
    expect(out).toMatch(/^onFailure +retain +default$/m);
    const shown = JSON.parse((await local('show', id, '--parameters', '--json')).out);
    expect(shown).toContainEqual({
      name: 'retainHours',
      value: 5,
      unit: 'hours',
      from: 'the request',
    });
  }

  it.each([
    ['hello', /the secret .*secrets\/onlyEBS\.json is not JSON: write an object/],
    ['[1]', /the secret .*secrets\/onlyEBS\.json must be a JSON object, got a list/],
    ['{"ebsSizeGb":"big"}', /secrets\/onlyEBS\.json: ebsSizeGb must be a whole number .*"big"/],
    ['{"ebsSize":"1"}', /secrets\/onlyEBS\.json: there is no parameter "ebsSize"; did you mean/],
  ])('that is %s has the run rejected, with a sentence that names the file', async (text, said) => {
    writeSecret('onlyEBS', text);
    const { code, out } = await local('run', ...FAST, '--command', 'true');
    expect(code).toBe(1);
    expect(out).toMatch(said);
    expect(onlyRun(home.path).status).toBe('rejected');
  });

  it('is of no concern to another mode', async () => {
    writeSecret('onlyEBS', 'hello');
    const words = ['--mode', 'taskExport', '--command', 'true'];
    expect((await local('run', ...FAST, ...words)).code).toBe(0);
  });
});
