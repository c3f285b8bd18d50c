// Which room may import which: only rooms further down. `npm run check` and the tests enforce it.
const rooms = require('./scripts/rooms.json') // top to bottom

const folder = (names) => `^src/(${names.join('|')})/`

const upward = rooms.slice(1).map((room, index) => ({
  name: `${room}-imports-upward`,
  comment: `${room}/ may import only what is below it: ${rooms.slice(index + 2).join(', ') || 'no room'}`,
  severity: 'error',
  from: { path: folder([room]) },
  to: {
    path: `${folder(rooms.slice(0, index + 1))}|^src/index\\.ts$`,
  },
}))

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from: { path: from }, to: { path: to } })

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'commands-know-no-other-command',
      comment: 'what two commands share is a station, or stands beside their folders; quickstart and experiment are made of align',
      severity: 'error',
      from: { path: '^src/commands/([^/]+)/', pathNot: '^src/commands/(quickstart|experiment)/' },
      to: { path: '^src/commands/[^/]+/', pathNot: '^src/commands/$1/' },
    },
    {
      name: 'quickstart-and-experiment-know-align-alone',
      comment: 'the two commands that are made of another one',
      severity: 'error',
      from: { path: '^src/commands/(quickstart|experiment)/' },
      to: { path: '^src/commands/[^/]+/', pathNot: '^src/commands/($1|align)/' },
    },
    forbid('commands-are-light-to-list', 'a spec imports what runs only when it runs', '^src/commands/.*index\\.ts$', folder(['stations', 'methods', 'load', 'session', 'report', 'train', 'models', 'nn', 'tensor'])),
    {
      name: 'commander-is-for-cli',
      comment: 'a command describes its flags as data; cli/ makes commander of them',
      severity: 'error',
      from: { path: '^src/', pathNot: folder(['cli']) },
      to: { path: 'node_modules/(commander|@commander-js)/' },
    },
    {
      name: 'index-is-the-public-list',
      comment: 'what the package exports stands in public/, by group',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/', pathNot: folder(['public']) },
    },
    forbid('losses-know-no-model', 'a loss sees scores and lists only', folder(['losses']), folder(['models', 'nn', 'data', 'checkpoint'])),
    forbid('optim-knows-no-model', 'an optimizer sees tensors only', folder(['optim']), folder(['models', 'nn', 'data', 'losses'])),
    forbid('data-has-no-engine', 'text and data run without libtorch', folder(['text', 'data']), folder(['tensor', 'nn', 'models'])),
    forbid('world-has-no-engine', 'the starter world runs without libtorch', folder(['world']), folder(['tensor', 'nn', 'models', 'train'])),
    forbid('readers-never-train', 'reports and the studio read run folders', '^src/(studio|report)/', folder(['train', 'models', 'nn', 'tensor'])),
    forbid('base-imports-no-room', 'files beside the rooms serve all of them', '^src/(?!index\\.ts$)[^/]+\\.ts$', '^src/(?!files/)[^/]+/'),
    forbid('product-imports-no-test', 'tests import src/, never the other way', '^src/', '^test/'),
    {
      name: 'no-cycle',
      comment: 'files that import each other in a circle can be read and loaded in no order',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'imports-resolve',
      comment: 'an import that leads nowhere hides everything behind it from these checks',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-package',
      comment: 'the product runs without the development packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
}
