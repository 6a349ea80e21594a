"""Registration of the pages with the console's site (console.apps)."""

import console.api_keys.admin
import console.arbitrations.admin
import console.attachments.admin
import console.channels.admin
import console.costs.admin
import console.decisions
import console.delegations.admin
import console.event_log.admin
import console.failures
import console.gates.admin
import console.intents.admin
import console.leases.admin
import console.notices.admin
import console.permits.admin
import console.portfolios.admin
import console.users.admin
import console.webhooks.admin  # noqa: F401
