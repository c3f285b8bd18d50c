import { main } from '/work/wt/commands/dist/cli/main.js'
process.exitCode = await main(process.argv.slice(2))
