// The command line of the local `aws`: what it understands, and what it refuses by name.

const WITHOUT_EFFECT = [
  ...['--region', '--endpoint-url', '--profile', '--sse', '--sse-kms-key-id', '--storage-class'],
  ...['--acl', '--content-type', '--cli-read-timeout', '--cli-connect-timeout'],
];
const TRANSFER_SWITCHES = ['--quiet', '--only-show-errors', '--no-progress'];
const COMMANDS = {
  cp: { switches: [...TRANSFER_SWITCHES, '--recursive'], filters: true, paths: [2, 2] },
  sync: { switches: [...TRANSFER_SWITCHES, '--delete'], filters: true, paths: [2, 2] },
  ls: { switches: ['--recursive'], filters: false, paths: [0, 1] },
};
const STAND_IN = "aws here is Ebbtide's local stand-in";

/** The command, its options and its paths; throws with an exit code for anything else. */
function parse(args) {
  const options = { switches: new Set(), filters: [] };
  const words = [];
  const flags = [];
  for (let i = 0; i < args.length; i += 1) {
    if (!args[i].startsWith('--')) {
      words.push(args[i]);
      continue;
    }
    const [name, inline] = args[i].split(/=(.*)/s);
    const takesValue = WITHOUT_EFFECT.includes(name) || ['--exclude', '--include'].includes(name);
    if (takesValue && inline === undefined) i += 1;
    const value = takesValue ? (inline ?? args[i]) : inline;
    if (takesValue && value === undefined) throw usage(`argument ${name}: expected one argument`);
    flags.push({ name, value, takesValue });
  }
  const [service, command, ...paths] = words;
  if (service !== 's3' || !Object.hasOwn(COMMANDS, command ?? '')) {
    const got = words.slice(0, 2).join(' ') || 'nothing';
    throw usage(
      `${STAND_IN}: it knows s3 cp, s3 sync and s3 ls, got '${got}'. On AWS the real one runs`,
    );
  }
  const { switches, filters, paths: bounds } = COMMANDS[command];
  for (const { name, value, takesValue } of flags) {
    if (WITHOUT_EFFECT.includes(name)) continue;
    if (takesValue && filters) {
      options.filters.push({ keep: name === '--include', matches: glob(value) });
    } else if (switches.includes(name) && value === undefined) {
      options.switches.add(name);
    } else {
      throw usage(`Unknown options: ${name} (${STAND_IN}: it does not know it for s3 ${command})`);
    }
  }
  const short = paths.find((each) => each.startsWith('-') && each !== '-');
  if (short) throw usage(`Unknown options: ${short} (${STAND_IN}: it does not know it)`);
  if (paths.length < bounds[0]) throw usage('the following arguments are required: paths');
  if (paths.length > bounds[1]) throw usage(`Unknown options: ${paths.slice(bounds[1]).join(',')}`);
  return { command, options, paths };
}

/** As Python's fnmatch, which the real one uses: `*` also matches slashes. */
function glob(pattern) {
  const source = pattern.replace(/\[(!?)([^\]]+)\]|[\s\S]/g, (part, not, set) => {
    if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[\\^[]/g, '\\$&')}]`;
    if (part === '*') return '[\\s\\S]*';
    if (part === '?') return '[\\s\\S]';
    return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
}

/** The real one's exit code for a command line that it does not understand. */
function usage(message) {
  return Object.assign(new Error(message), { exitCode: 252 });
}

module.exports = { parse, usage };
