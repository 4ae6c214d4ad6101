import fc from 'fast-check';
import { readRequest, secretLayer } from '../../events';
import { SETTINGS } from '../../sim/simulator';

const valuesOf = (text: string) => secretLayer('x', text).values;
const problemOf = (text: string | undefined) => secretLayer('x', text).problem;

describe('the secret of a mode', () => {
  it('is a layer of a run, under its name', () => {
    expect(secretLayer('team/sizes', '{}')).toEqual({
      name: 'the secret team/sizes',
      deploys: false,
      values: {},
    });
  });

  it.each([
    ['"2400"', 2_400],
    ['"0.5"', 0.5],
    ['"-3"', -3],
    ['"0"', 0],
    ['"1e3"', 1_000],
    ['"true"', true],
    ['"false"', false],
    ['600', 600],
    ['" 1"', ' 1'],
    ['"1 "', '1 '],
    ['"007"', '007'],
    ['"+1"', '+1'],
    ['".5"', '.5'],
    ['"1."', '1.'],
    ['"0x10"', '0x10'],
    ['"1e999"', '1e999'],
    ['"Infinity"', 'Infinity'],
    ['"True"', 'True'],
    ['""', ''],
    ['null', null],
    ['["1"]', ['1']],
  ])('has %s as %j', (written, value) => {
    expect(valuesOf(`{ "ebsSizeGb": ${written} }`)).toEqual({ ebsSizeGb: value });
  });

  it('leaves a text that is legal as it stands, though it looks like a number', () => {
    expect(valuesOf('{ "lustreFileSystemTypeVersion": "2.12" }')).toEqual({
      lustreFileSystemTypeVersion: '2.12',
    });
  });

  it('keeps a name that would change the prototype, so that it is refused', () => {
    expect(Object.keys(valuesOf('{ "__proto__": { "ebsSizeGb": 1 } }'))).toEqual(['__proto__']);
  });

  it('of as many bytes as a secret may have is read', () => {
    expect(problemOf(`{}${' '.repeat(65_534)}`)).toBeUndefined();
  });

  it.each([
    ['missing', undefined, 'is not there, or has no text: give it the value {}'],
    ['empty', '', 'is not JSON: write an object'],
    ['torn', '{ "ebsSizeGb": "hunter2', 'is not JSON: write an object'],
    ['a list', '[1]', 'must be a JSON object, got a list of 1: write {}'],
    ['null', 'null', 'must be a JSON object, got null: write {}'],
    ['a text', '"hunter2"', 'must be a JSON object, got a text: write {}'],
    ['a number', '90210', 'must be a JSON object, got a number: write {}'],
    ['too large', `{}${' '.repeat(65_535)}`, 'has 65537 bytes, and may have 65536'],
    ['too large in bytes', `{"a":"${'ä'.repeat(32_768)}"}`, 'has 65544 bytes, and may'],
  ])('says what is wrong with it and what to do where it is %s', (_title, text, said) => {
    expect(problemOf(text)).toContain(`the secret x ${said}`);
  });

  it.each(['{ "a": "hunter2', '"hunter2"', '["hunter2"]', 'hunter2'])(
    'never shows what it could not read: %s',
    (text) => {
      expect(problemOf(text)).not.toContain('hunter2');
    },
  );

  it('answers whatever is written there', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const { problem, values } = secretLayer('x', text);
        expect(problem === undefined || Object.keys(values).length === 0).toBe(true);
      }),
    );
  });
});

describe('a request above a secret', () => {
  const judge = (text: string | undefined, detail = {}) => {
    const layers = { onlyEBS: [secretLayer('x', text)] };
    return readRequest('r1', detail, { ...SETTINGS, layers });
  };

  it('has the sizes of the secret', () => {
    expect(judge('{ "ebsSizeGb": "600" }')).toMatchObject({
      ok: true,
      wanted: { parameters: { ebsSizeGb: 600 }, sources: { ebsSizeGb: 'the secret x' } },
    });
  });

  it('wins over it', () => {
    const judged = judge('{ "ebsSizeGb": "600" }', { parameters: { ebsSizeGb: 700 } });
    expect(judged).toMatchObject({ ok: true, wanted: { parameters: { ebsSizeGb: 700 } } });
  });

  it('may itself not write numbers as texts', () => {
    expect(judge('{}', { parameters: { ebsSizeGb: '700' } }).ok).toBe(false);
  });

  it('is refused where the secret cannot be read, rather than run with other sizes', () => {
    expect(judge('{')).toMatchObject({ ok: false, reason: expect.stringContaining('is not JSON') });
  });

  it('is refused where the secret has what a deployment says', () => {
    expect(judge('{ "zones": ["us-east-1a"] }')).toMatchObject({
      reason: 'the secret x: zones is set when deploying, in cdk.json; leave it out here',
    });
  });
});
