import { setPriority } from 'node:os'
import { type DecoderJob, decodeImage } from './decode.ts'

// The process that decodes: see decoder-process.ts. It holds no secret, and whoever breaks it through a decoder finds none.
setPriority(10) // the server's own work comes first
process.on('message', async (job: DecoderJob) => process.send?.(await decodeImage(job)))
