-- The present state of the alerts whose id, or whose incident's id, begins with a text.
SELECT *
FROM alert_changes
WHERE startsWith(alert_id, {prefix:String})
   OR alert_id IN (SELECT alert_id FROM alert_changes WHERE startsWith(incident_id, {prefix:String}))
ORDER BY revision DESC
LIMIT 1 BY alert_id
LIMIT {limit:UInt32}
