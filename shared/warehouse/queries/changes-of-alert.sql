-- Every state change of one alert, in order.
SELECT *
FROM alert_changes
WHERE alert_id = {alertId:String}
ORDER BY revision
LIMIT 1 BY revision
