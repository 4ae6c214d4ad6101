import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { deadLettersIn } from '../../sim/dead-letters';
import { homeAt, journalsIn } from '../../sim/home';
import { post } from '../../sim/inbox';
import { drop, ebb, ended, eventually, onlyRun, startUp, tempHome } from '../support/cli';

let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

function deadLetters(...words: readonly string[]) {
  return ebb(home.path, 'local', 'dead-letters', ...words);
}

function letters() {
  return deadLettersIn(homeAt(home.path)).read();
}

/** An event of ours that no contract can read, for a run of that name. */
function postUnreadable(runId: string): void {
  const id = randomUUID();
  const time = new Date().toISOString();
  const detail = { runId };
  const envelope = { id, source: 'ebbtide', 'detail-type': 'RunAccepted', time, detail };
  post(homeAt(home.path), { kind: 'event', envelope });
}

describe('a dead letter', () => {
  it('is shown in a line, and is still one however often it is sent round again', async () => {
    const up = await startUp(home.path);
    postUnreadable('nobody');
    await eventually('it is dead', () => letters().length > 0);
    const shown = await deadLetters();
    expect(shown.code).toBe(1);
    expect(shown.out).toMatch(/^\S+ {2}\S+ {2}RunAccepted {2}nobody {2}\S.*$/);
    expect(shown.said).toContain('dead-letters --redrive');
    for (const time of [1, 2]) {
      const again = await deadLetters('--redrive');
      expect({ time, ...again }).toMatchObject({ time, code: 1 });
      expect(again.said).toContain('0 of 1 dead letters were handled.');
    }
    up.kill('SIGINT');
    await ended(up);
    expect(JSON.parse((await deadLetters('--json')).out)).toHaveLength(1);
  });

  it('tells in words what is wrong with it', async () => {
    const up = await startUp(home.path);
    postUnreadable('nobody');
    await eventually('it is dead', () => letters().length > 0);
    up.kill('SIGINT');
    await ended(up);
    expect((await deadLetters()).out).toMatch(/ {2}[^[\]{}]{10,}$/);
  });

  it.each(['with', 'without'])(
    'is gone when it can be handled, %s a session at work',
    async (at) => {
      const up = await startUp(home.path);
      const jobs = [{ name: 'main', command: ['sleep', '0.5'] }];
      drop(home.path, 'request.json', { runId: 'one', mode: 'onlyEBS', jobs });
      await eventually('the job is at work', () => up.text().includes('main RUNNING'));
      // The table is away when the job ends: whoever has to write to it dies, again and again.
      const runs = join(home.path, 'runs');
      renameSync(runs, `${runs} away`);
      await eventually('a letter is dead', () => letters().length > 0);
      renameSync(`${runs} away`, runs);
      if (at === 'without') {
        up.kill('SIGKILL');
        await ended(up);
      }
      const redriven = await deadLetters('--redrive');
      expect(redriven.code).toBe(0);
      expect(redriven.said).toMatch(/(\d+) of \1 dead letters were handled\./);
      expect(letters()).toEqual([]);
      const twice = await deadLetters('--redrive');
      expect(twice).toMatchObject({ code: 0, said: '0 of 0 dead letters were handled.' });
      if (at === 'with') await oneEnd();
      up.kill('SIGINT');
      await ended(up);
    },
  );

  async function oneEnd(): Promise<void> {
    await eventually('the run is over', () => onlyRun(home.path).status === 'succeeded');
    const types = journalsIn(homeAt(home.path))
      .read('one')
      .map(({ type }) => type);
    expect(types.filter((type) => type === 'RunSucceeded')).toHaveLength(1);
    const journal = readFileSync(join(home.path, 'runs', 'one.jsonl'), 'utf8');
    expect(journal.match(/"ReleaseStarted"/g)).toHaveLength(1);
  }

  it('is not there in a place where nothing ever was', async () => {
    const { code, said } = await deadLetters();
    expect({ code, said }).toEqual({ code: 0, said: `No dead letters in ${home.path}.` });
  });
});
