import { setPriority } from 'node:os'
import { type DecoderJob, decodeImage } from './decode.ts'

// The decoding process: see decoder-process.ts. It holds no secrets, so breaking it through a decoder reveals none.
setPriority(10) // the server's own work comes first
process.on('message', async (job: DecoderJob) => process.send?.(await decodeImage(job)))
