/** The HTTP server: it listens, and it stops without cutting off what runs. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import { busyError, usageError } from '../errors.js'
import { asApiError, badRequest, errorBody, named } from './api-error.js'

export interface RunningServer {
  /** Such as `http://127.0.0.1:8000`. */
  url: string
  /**
   * Takes no more connections; waits for the requests under way.
   * @param giveUp called after the grace time, when requests still run
   * @returns whether all of them came to their end
   */
  stop(graceMs: number, giveUp: () => void): Promise<boolean>
}

/** Milliseconds that answers to given-up requests have to leave. */
const LAST_WORDS = 500

/** @throws ClhaError exit 3 when the port is taken, exit 2 when the address can't be used */
export async function listen(app: Hono, hostname: string, port: number): Promise<RunningServer> {
  const server = createServer(getRequestListener(app.fetch, { errorHandler: unreadable }))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(addressError(error, hostname, port)))
    server.listen(port, hostname, resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  const running = countRequests(server)
  return {
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${actual}`,
    async stop(graceMs, giveUp) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const finished = await running.none(graceMs)
      if (!finished) {
        giveUp()
        await running.none(LAST_WORDS)
      }
      // Connections that are kept for later requests would hold it open.
      server.closeAllConnections()
      await closed
      return finished
    },
  }
}

/** A request that never reaches the routes: its host or its path is none. */
function unreadable(error: unknown): Response {
  const bad = error instanceof RequestError
  const known = bad ? badRequest(`the request can't be read: ${named(error.message)}`) : asApiError(error)
  return Response.json(errorBody(known), { status: known.status })
}

/** Requests whose answers are not out yet. */
function countRequests(server: Server) {
  let running = 0
  let changed = () => {}
  server.on('request', (_, response) => {
    running += 1
    response.once('close', () => {
      running -= 1
      changed()
    })
  })
  return {
    /** @returns whether all came to an end within the time */
    none: (ms: number) =>
      new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(running === 0), ms)
        changed = () => {
          if (running > 0) return
          clearTimeout(timer)
          resolve(true)
        }
        changed()
      }),
  }
}

function addressError({ code, message }: NodeJS.ErrnoException, host: string, port: number): Error {
  if (code === 'EADDRINUSE')
    return busyError(`port ${port} of ${host} is taken`, 'choose another one with --port')
  if (code === 'EACCES')
    return usageError(`port ${port}: permission denied`, 'choose a --port of 1024 or above')
  return usageError(`--host ${host}: ${message}`, 'give an address of this machine, such as 127.0.0.1')
}
