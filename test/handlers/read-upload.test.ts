import type { Settings } from '../../events';
import { type BusEntry, execute } from '../../handlers';
import { acceptRun } from '../../handlers/accept-run';
import { readUpload } from '../../handlers/feeders/read-upload';
import { SETTINGS } from '../../sim/simulator';
import { envelope, world } from './world';

const STACK: Settings = {
  ...SETTINGS,
  modes: ['taskExport'],
  intakeBucket: 'intake',
  layers: {
    taskExport: [
      {
        name: 'cdk.json',
        deploys: true,
        values: { uploads: [{ prefix: 'in/', request: { parameters: { maxRunHours: 2 } } }] },
      },
    ],
  },
};

interface Around {
  readonly objects?: { readonly [key: string]: string };
  readonly takes?: boolean;
}

/** Reads one upload. Gives what it said, what was put on the bus, and what was read. */
async function read(key: string, { objects = {}, takes = true }: Around = {}) {
  const entries: BusEntry[] = [];
  const asked: unknown[] = [];
  const created = envelope(
    'Object Created',
    { bucket: { name: 'intake' }, object: { key, size: 1, sequencer: '0A' } },
    'aws.s3',
  );
  const said = await readUpload(created, {
    bus: {
      async put(given) {
        entries.push(...given);
        return given.map(() => takes);
      },
    },
    intake: {
      async read(wanted) {
        asked.push(wanted);
        return objects[wanted.key];
      },
    },
    settings: { read: async () => STACK },
  });
  return { said, entries, asked };
}

const upload = (key: string) => ({ bucket: 'intake', key, sequencer: '0A' });

describe('read-upload', () => {
  it('puts an uploaded request on the bus, with its cause', async () => {
    const key = 'requests/a.json';
    const { said, entries } = await read(key, { objects: { [key]: '{ "runId": "r1" }' } });
    expect([said, entries]).toEqual([
      { kind: 'requested' },
      [
        {
          source: 'ebbtide.intake',
          detailType: 'RunRequested',
          detail: { runId: 'r1', cause: { upload: upload(key) } },
        },
      ],
    ]);
  });

  it('reads no more than a request may have', async () => {
    const { asked } = await read('requests/a.json');
    expect(asked).toEqual([{ bucket: 'intake', key: 'requests/a.json', charactersMax: 30_720 }]);
  });

  it.each([
    ['that is missing or too large', {}, 'is not there, or has more than'],
    ['that is no JSON', { 'requests/a': 'no' }, 'is not JSON'],
    ['that is no object', { 'requests/a': '[]' }, 'must be a JSON object'],
  ])('puts a request %s on the bus as one that is refused', async (_title, objects, said) => {
    const { entries } = await read('requests/a', { objects });
    const unreadable = expect.stringContaining(said);
    expect(entries.map(({ detail }) => detail)).toEqual([
      { cause: { upload: { ...upload('requests/a'), unreadable } } },
    ]);
  });

  it('puts the request of a prefix on the bus, without reading what was uploaded', async () => {
    const { entries, asked } = await read('in/set/a.tar');
    expect([asked, entries.map(({ detail }) => detail)]).toEqual([
      [],
      [
        {
          mode: 'taskExport',
          parameters: { maxRunHours: 2, inputRepositoryPath: 's3://intake/in/set/' },
          cause: { upload: upload('in/set/a.tar') },
        },
      ],
    ]);
  });

  it.each([
    ['requests/a.json.answer.json', 'an answer asks for nothing'],
    ['in/set/', 'a folder asks for nothing'],
    ['elsewhere/a', 'nothing in cdk.json starts a run for this key'],
  ])('ignores %s: %s', async (key, reason) => {
    const { said, entries, asked } = await read(key);
    expect([said, entries, asked]).toEqual([{ kind: 'ignored', reason }, [], []]);
  });

  it('comes again where the bus did not take the request', async () => {
    await expect(read('in/a', { takes: false })).rejects.toThrow(
      'the bus did not take the request of in/a',
    );
  });
});

describe('an upload whose event comes twice', () => {
  it.each([
    ['a request', 'requests/a', { 'requests/a': '{}' }, 'provisioning'],
    ['a file that is no request', 'requests/a', { 'requests/a': 'no' }, 'rejected'],
    ['an input', 'in/set/a.tar', {}, 'provisioning'],
  ])('is one run: %s', async (_title, key, objects, status) => {
    const here = world({ settings: { read: async () => STACK } });
    for (const id of ['e1', 'e2']) {
      const { entries } = await read(key, { objects });
      for (const { detailType, detail, source } of entries) {
        const request = { ...envelope(detailType, detail, source), id };
        await here.settled(execute(acceptRun, request, here.ports));
      }
    }
    expect([here.runs.all(), here.lines.map(({ decided }) => decided)]).toEqual([
      [expect.objectContaining({ id: expect.stringMatching(/^up-/), status })],
      [expect.anything(), 'ignored: the same request came before'],
    ]);
  });
});
