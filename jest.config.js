/** Jest runs the TypeScript sources through swc. Nothing is mocked; only test/cli and test/host wait for real time. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, sourceMaps: 'inline' },
    ],
  },
  testTimeout: 60_000,
  // Half of the time is spent waiting for real processes.
  maxWorkers: 3,
};
