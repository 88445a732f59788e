-- Alerts whose present state is open, of the last year.
SELECT *
FROM
(
    SELECT *
    FROM alert_changes
    WHERE started_at >= now() - INTERVAL 365 DAY
    ORDER BY revision DESC
    LIMIT 1 BY alert_id
)
WHERE status = 'open'
