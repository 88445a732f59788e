import { mkdir, writeFile } from 'node:fs/promises'
import { DASHBOARD_FOLDER, renderDashboards } from './render-dashboards.ts'

// `npm run dashboards`: writes the boards that Compose mounts; the result is committed.
await mkdir(DASHBOARD_FOLDER, { recursive: true })
for (const [name, text] of await renderDashboards()) await writeFile(`${DASHBOARD_FOLDER}/${name}`, text)
